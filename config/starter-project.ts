import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QueueError } from '../src/index.js';
import { configFiles } from './find-config.js';
import { isThere, languageOf, wrote } from './project-files.js';
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
  const { typescript, language, extension } = await languageOf(directory, options.typescript);
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
