import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { relative, resolve, sep } from 'node:path';
import { filesOfFolder } from './folder-glob.js';
import { importable } from './import-file.js';

// In its CommonJS form, which takes a third of the time to load, and only for globs that need it.
const require = createRequire(import.meta.url);
const tinyglobby = (): typeof import('tinyglobby') => require('tinyglobby');

const declarations = /\.d\.[cm]?ts$/;

/** A file that the globs of `jobs` match. */
export interface JobFile {
  /** As matched, relative to the project's folder: for people. */
  readonly label: string;
  /** Absolute and without symlinks. */
  readonly path: string;
  /** Why it must not be imported. */
  readonly refusal?: string;
}

/**
 * The files to look for jobs in, sorted, each once. Declaration files and whatever is no JavaScript or
 * TypeScript are left out, and so is node_modules.
 *
 * A symlink that leads out of the project's folder (or, for a glob that itself starts outside, out of where
 * that starts) is refused: whoever may write a file into the job folder could else point a worker anywhere.
 */
export async function findJobFiles(globs: readonly string[], directory: string): Promise<JobFile[]> {
  const roots = await rootsOf(globs, directory);
  const matches = await matchesOf(globs, directory);
  const files = new Map<string, JobFile>();
  for (const match of matches.map((file) => resolve(file)).sort()) {
    if (!importable.test(match) || declarations.test(match)) continue;
    const label = relative(directory, match);
    const path = await realpath(match);
    const root = roots.find((one) => isInside(match, one.named));
    const isAtHome = root !== undefined && isInside(path, root.real);
    const refusal = `leads to ${path}, outside ${root?.named ?? directory}`;
    if (!files.has(path)) files.set(path, { label, path, ...(!isAtHome && { refusal }) });
  }
  return [...files.values()];
}

async function matchesOf(globs: readonly string[], directory: string): Promise<string[]> {
  const ofFolders = await Promise.all(globs.map((one) => filesOfFolder(one, directory)));
  if (!ofFolders.includes(undefined)) return ofFolders.flatMap((files) => files ?? []);
  return await tinyglobby().glob([...globs], {
    cwd: directory,
    absolute: true,
    expandDirectories: false,
    ignore: ['**/node_modules/**'],
  });
}

interface Root {
  readonly named: string;
  readonly real: string;
}

/** The folders that job files may lie in: the project's, and the fixed parts of globs that start elsewhere. */
async function rootsOf(globs: readonly string[], directory: string): Promise<Root[]> {
  const taking = globs.filter((pattern) => !pattern.startsWith('!'));
  const named = [directory, ...taking.map((pattern) => resolve(directory, fixedPart(pattern)))];
  const outside = named.filter((folder, index) => index === 0 || !isInside(folder, directory));
  return Promise.all(
    outside.map(async (folder) => ({ named: folder, real: await realpath(folder).catch(() => folder) })),
  );
}

/** The folders at the start of a glob, up to the first part that can match more than one name. */
export function fixedPart(pattern: string): string {
  const [start = ''] = pattern.split('{', 1); // a brace may hold slashes
  const folders = start.split('/').slice(0, -1);
  const dynamic = folders.findIndex(isDynamic);
  const fixed = folders.slice(0, dynamic === -1 ? undefined : dynamic);
  return fixed.length === 1 && fixed[0] === '' ? '/' : fixed.join('/');
}

/** Names of letters, digits, dots and dashes match themselves, and one with a star besides others: tinyglobby need not be asked. */
function isDynamic(folder: string): boolean {
  if (/^[\w.*-]*$/.test(folder)) return folder.includes('*');
  return tinyglobby().isDynamicPattern(folder);
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
