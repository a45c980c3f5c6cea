import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { QueueError } from '../src/index.js';
import { isSection } from './problem.js';

/** What the files of a project are written in. */
export interface ProjectLanguage {
  readonly typescript: boolean;
  readonly language: 'ts' | 'js';
  /** `mts` or `mjs` where package.json does not say `"type": "module"`: elsewhere ES syntax is an error. */
  readonly extension: 'ts' | 'mts' | 'js' | 'mjs';
}

/**
 * The language of a project: TypeScript where its folder has a tsconfig.json, or its package.json depends on it.
 *
 * @param asked what was asked for, if anything was.
 * @throws QueueError `E_USAGE` for a package.json that is not JSON.
 */
export async function languageOf(directory: string, asked?: boolean): Promise<ProjectLanguage> {
  const project = await readPackage(resolve(directory));
  const typescript = asked ?? (await isTypeScript(directory, project));
  const language = typescript ? 'ts' : 'js';
  return { typescript, language, extension: project.type === 'module' ? language : `m${language}` };
}

type Package = Readonly<Record<string, unknown>>;

/** The package.json that rules the folder: its own, or that of a folder above; empty where there is none. */
async function readPackage(folder: string): Promise<Package> {
  const path = join(folder, 'package.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return dirname(folder) === folder ? {} : readPackage(dirname(folder));
  try {
    const parsed: unknown = JSON.parse(text);
    return isSection(parsed) ? parsed : {};
  } catch (cause) {
    throw new QueueError('E_USAGE', `${path} is not JSON`, { fix: 'Mend it first.', cause });
  }
}

async function isTypeScript(directory: string, project: Package): Promise<boolean> {
  if (await isThere(directory, 'tsconfig.json')) return true;
  return [project.dependencies, project.devDependencies].some(
    (packages) => isSection(packages) && Object.hasOwn(packages, 'typescript'),
  );
}

/** True for a file or folder that is there. */
export async function isThere(directory: string, name: string): Promise<boolean> {
  return (await stat(join(directory, name)).catch(() => undefined)) !== undefined;
}

/** Waits for a write; says which file it was about where that fails. */
export async function wrote(name: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new QueueError('E_USAGE', `could not write ${name}: ${code}`, { cause });
  }
}
