import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { QueueError } from '../src/index.js';

/** Where a config is looked for in the working directory, the first before the second. */
export const configFiles: readonly string[] = [
  'drover.config.ts',
  'drover.config.mts',
  'drover.config.js',
  'drover.config.mjs',
  'drover.config.json',
  'config/queue.ts',
  'config/queue.js',
];

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'];

/**
 * The absolute path of the config file: the one asked for, or the first that is there, or null.
 *
 * @throws QueueError `E_CONFIG` where the file asked for cannot be one.
 */
export async function findConfigFile(cwd: string, file?: string): Promise<string | null> {
  if (file !== undefined) return assertConfigFile(resolve(cwd, file), file);
  for (const name of configFiles) {
    const path = resolve(cwd, name);
    if (await isFile(path)) return path;
  }
  return null;
}

/** The project's folder, which globs start from: that of the file, or the one above for `config/queue.*`. */
export function projectDirectory(file: string): string {
  const folder = dirname(file);
  const isNested = basename(folder) === 'config' && basename(file, extname(file)) === 'queue';
  return isNested ? join(folder, '..') : folder;
}

async function assertConfigFile(path: string, given: string): Promise<string> {
  if (!(await isFile(path))) {
    throw new QueueError('E_CONFIG', `the config file ${given} is not there`, {
      fix: `Looked for ${path}.`,
    });
  }
  if (!extensions.includes(extname(path))) {
    throw new QueueError('E_CONFIG', `the config file ${given} is none of ${extensions.join(', ')}`, {
      fix: 'Rename it; drover init writes one to start from.',
    });
  }
  return path;
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined); // unreadable is as good as not there
  return found?.isFile() ?? false;
}
