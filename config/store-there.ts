import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QueueError } from '../src/index.js';
import type { Environment } from './environment.js';
import type { LoadedConfig } from './load-config.js';

/** The file of config/queue.ts, in the working directory. */
const builtInFile = 'drover.sqlite';

/**
 * Refuses a folder in which nothing says where the jobs are: no config, no variable and no file of the built-in config.
 * The store that the built-in config would make there is empty, so whoever only looks would be told that all is well.
 *
 * @param connections those that are looked at. Default: the config's own.
 * @throws QueueError `E_CONFIG`.
 */
export async function assertStoreThere(
  { file, config, directory }: LoadedConfig,
  { DATABASE_URL: url }: Environment,
  connections: readonly string[] = [],
): Promise<void> {
  const names = connections.length > 0 ? connections : [config.default];
  if (file !== null || url || !names.includes('database')) return;
  if (await isThere(join(directory, builtInFile))) return;
  throw new QueueError('E_CONFIG', `there is no config and no ${builtInFile} in ${directory}`, {
    fix: "Run it in the project's folder, name its config with --config, or write one here: drover init.",
  });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT', // unreadable is for the driver to say
  );
}
