import { relative, resolve } from 'node:path';
import type { QueueConfig } from '../src/index.js';
import {
  assertChosen,
  type ConnectionChoice,
  chosenConnection,
  defaultConnection,
} from './default-connection.js';
import type { Environment } from './environment.js';
import { findConfigFile, projectDirectory } from './find-config.js';
import type { RawConfig } from './json-config.js';
import { configError } from './problem.js';
import { readBuiltInConfig, readConfigFile } from './read-config.js';
import { findProblems } from './validate.js';

/** Where to look for the config, and what goes before it. */
export interface LoadConfigOptions {
  /** The config file, relative to `cwd`. Default: the first that discovery finds. */
  readonly file?: string | undefined;
  /** Where discovery looks. Default: the working directory of the process. */
  readonly cwd?: string | undefined;
  /** Default: the environment of the process. Config files written in code read that one in any case. */
  readonly env?: Environment | undefined;
  /** The connection to use by default, as named by a flag. Goes before `QUEUE_CONNECTION` and the file. */
  readonly connection?: string | undefined;
}

/** A config that was found and checked. */
export interface LoadedConfig {
  /** Its `default` is the connection that flag, environment and file make the default, in this order. */
  readonly config: QueueConfig;
  /** The absolute path of the file, or null for the built-in default. */
  readonly file: string | null;
  /** The project's folder, absolute: what the globs in `jobs` are relative to. */
  readonly directory: string;
}

/**
 * Finds, reads and checks the config: the file asked for, else `drover.config.{ts,mts,js,mjs,json}` or
 * `config/queue.{ts,js}` of the working directory, else the built-in default (SQLite in ./drover.sqlite).
 *
 * @throws QueueError `E_CONFIG` naming everything that is wrong with it at once, `E_CONNECTION_UNKNOWN` for
 * a choice that the config does not have, `E_UNSUPPORTED` for a driver that this version does not have.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { env = process.env, connection } = options;
  const cwd = resolve(options.cwd ?? '.');
  const file = await findConfigFile(cwd, options.file);
  const label = file === null ? 'the built-in config' : labelOf(file, cwd);
  const raw = file === null ? await readBuiltInConfig() : await readConfigFile(file, label, cwd, env);
  const config = acceptConfig(raw, label, { connection, env });
  return {
    config,
    file,
    directory: file === null ? cwd : projectDirectory(file),
  };
}

/**
 * A config that comes from no file, checked as one that does, and with its default connection settled.
 *
 * @throws QueueError as {@link loadConfig}.
 */
export function checkConfig(config: QueueConfig, choice: ConnectionChoice): QueueConfig {
  return acceptConfig({ config, problems: [] }, 'the config', choice);
}

/** @param source names the config in errors. */
function acceptConfig(raw: RawConfig, source: string, choice: ConnectionChoice): QueueConfig {
  const problems = [...raw.problems, ...findProblems(raw.config, chosenConnection(choice))];
  if (problems.length > 0) throw configError(source, problems);
  const config = raw.config as QueueConfig;
  assertChosen(config, choice);
  return { ...config, default: chosenConnection(choice) ?? defaultConnection(config) };
}

function labelOf(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith('..') ? file : path;
}
