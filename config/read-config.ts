import { readFile, realpath } from 'node:fs/promises';
import { extname } from 'node:path';
import { isQueueError, QueueError } from '../src/index.js';
import type { Environment } from './environment.js';
import { projectDirectory } from './find-config.js';
import { importFailure } from './import-failure.js';
import { importFile } from './import-file.js';
import type { RawConfig } from './json-config.js';

/**
 * What a config file says, unchecked.
 *
 * @param file absolute.
 * @param label names the file in errors.
 * @param cwd what places in errors are shown relative to.
 * @throws QueueError `E_CONFIG` for a file that cannot be read, that throws, or that exports no default.
 */
export async function readConfigFile(
  file: string,
  label: string,
  cwd: string,
  env: Environment,
): Promise<RawConfig> {
  const path = await realpath(file);
  const directory = projectDirectory(path);
  const isJson = extname(file) === '.json';
  let read: unknown;
  try {
    read = isJson ? await readFile(path, 'utf8') : (await importFile(path, directory)).default;
  } catch (error) {
    const failure = importFailure(error, path, directory, await realpath(cwd));
    // Configs in code, such as the one that init writes, read the environment of the process.
    const fix = isQueueError(error) ? await fixOf(error.message) : undefined;
    throw new QueueError('E_CONFIG', `could not load ${label}: ${failure.what}`, {
      ...failure,
      ...(fix !== undefined && { fix }),
    });
  }
  if (isJson) {
    // With all drivers, which a config in code imports as it needs them.
    const { readJsonConfig } = await import('./json-config.js');
    return readJsonConfig(String(read), label, env);
  }
  if (read !== undefined) return { config: read, problems: [] };
  throw new QueueError('E_CONFIG', `${label} has no default export`, {
    fix: "Write export default defineConfig({ … }), with defineConfig from 'drover/config'.",
  });
}

async function fixOf(message: string): Promise<string | undefined> {
  const { databaseUrlFix } = await import('./environment.js');
  return databaseUrlFix(message, process.env);
}

/** What config/queue.ts says. Its one input is the environment, so that is what an error is about. */
export async function readBuiltInConfig(): Promise<RawConfig> {
  try {
    return { config: (await import('./queue.js')).default, problems: [] };
  } catch (error) {
    if (!isQueueError(error)) throw error;
    const message = error.message.replace(/^url: /, 'DATABASE_URL: ');
    throw new QueueError(error.code, `the built-in config: ${message}`, {
      fix: 'Unset DATABASE_URL (or empty it: DATABASE_URL= npx drover …) to use ./drover.sqlite, set it to a sqlite: URL, or write a config that does not read it.',
    });
  }
}
