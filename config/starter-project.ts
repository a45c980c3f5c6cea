import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { QueueError } from '../src/index.js';
import { configFiles } from './find-config.js';
import { isSection } from './problem.js';
import { configText, jobText } from './starter-texts.js';

/** What {@link writeStarterProject} can be told. */
export interface StarterOptions {
  /** Default: whether the folder has a tsconfig.json, or its package.json depends on typescript. */
  readonly typescript?: boolean | undefined;
  /**
   * Overwrite files that are there. Default false. A config file that would be found before the one written,
   * as one in the other language may be, is refused all the same, and so is the same job under `.ts` and `.mts`.
   */
  readonly force?: boolean | undefined;
}

/**
 * Writes a config and a first job into a project; answers the files written, relative to its folder. Where
 * package.json does not say `"type": "module"` they are `.mts` or `.mjs`: elsewhere their ES syntax is an error.
 *
 * @throws QueueError `E_USAGE` naming a file that is there already, or cannot be written.
 */
export async function writeStarterProject(
  directory: string,
  options: StarterOptions = {},
): Promise<string[]> {
  const project = await readPackage(resolve(directory));
  const typescript = options.typescript ?? (await isTypeScript(directory, project));
  const language = typescript ? 'ts' : 'js';
  const extension = project.type === 'module' ? language : `m${language}`;
  const config = `drover.config.${extension}`;
  const files = [
    { name: config, text: await configText(typescript) },
    { name: `jobs/hello.${extension}`, text: jobText(typescript) },
  ];
  const twin = `jobs/hello.${extension === language ? `m${language}` : language}`;
  const earlier = configFiles.slice(0, configFiles.indexOf(config));
  if (options.force) await assertNoClash(directory, [...earlier, twin]);
  else await assertFree(directory, [...configFiles, ...files.map((file) => file.name)]);
  const flag = options.force ? 'w' : 'wx';
  for (const { name } of files) await wrote(name, mkdir(dirname(join(directory, name)), { recursive: true }));
  for (const { name, text } of files) await wrote(name, writeFile(join(directory, name), text, { flag }));
  return files.map((file) => file.name);
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

async function isThere(directory: string, name: string): Promise<boolean> {
  return (await stat(join(directory, name)).catch(() => undefined)) !== undefined;
}

/** Any config file counts: a second one would take the place of the first, or never be read. */
async function assertFree(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!(await isThere(directory, name))) continue;
    throw new QueueError('E_USAGE', `${name} is there already`, {
      fix: 'Nothing was written; --force overwrites.',
    });
  }
}

/** A config found before the one written would be read in its place, a second hello beside the first. */
async function assertNoClash(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!(await isThere(directory, name))) continue;
    throw new QueueError('E_USAGE', `${name} is there and would be read beside or before what is written`, {
      fix: `Nothing was written. Remove ${name} first.`,
    });
  }
}

async function wrote(name: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new QueueError('E_USAGE', `could not write ${name}: ${code}`, { cause });
  }
}
