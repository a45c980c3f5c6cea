import { checkOptionNames, QueueError } from '../../src/index.js';
import { type RedisOptions, redisOptionNames } from '../redis/index.js';
import { type RedisSettings, readOptions } from '../redis/options.js';

/** Options of a webman connection: those of `redis`, and webman's own two. A Cluster is not among them. */
export interface WebmanOptions extends Omit<RedisOptions, 'cluster'> {
  /** How often a job is tried again after its first run: 5 makes six runs in all. Default 5, as webman has it. */
  readonly max_attempts?: number;
  /** Seconds to wait after the first failed run, twice as long after the second, and so on. Default 5. */
  readonly retry_seconds?: number;
}

/** Options checked and filled in. */
export interface WebmanSettings {
  readonly redis: RedisSettings;
  readonly maxAttempts: number;
  readonly retrySeconds: number;
}

/** Names of the options of `webman`. */
export const webmanOptionNames = [
  ...redisOptionNames.filter((name) => name !== 'cluster'),
  'max_attempts',
  'retry_seconds',
] as const satisfies readonly (keyof WebmanOptions)[];

/**
 * Checks the options of `webman`. Opens nothing.
 *
 * @throws QueueError `E_CONFIG` or `E_DURATION` naming the option and never a password.
 */
export function readWebmanOptions(options: WebmanOptions): WebmanSettings {
  checkOptionNames(options, webmanOptionNames, 'webman');
  const redis = readOptions(redisPart(options));
  if (redis.isCluster) {
    throw new QueueError('E_CONFIG', 'client: is a Cluster, which webman’s consumers cannot use', {
      fix: 'Give a client of one server.',
    });
  }
  return {
    redis,
    maxAttempts: whole(options, 'max_attempts', 1000),
    retrySeconds: whole(options, 'retry_seconds', 31_536_000),
  };
}

/** The options that `redis` knows. */
export function redisPart({ max_attempts: _, retry_seconds: __, ...rest }: WebmanOptions): RedisOptions {
  return rest;
}

function whole(options: WebmanOptions, name: 'max_attempts' | 'retry_seconds', most: number): number {
  const { [name]: given = 5 } = options;
  if (Number.isSafeInteger(given) && given >= 0 && given <= most) return given;
  throw new QueueError('E_CONFIG', `${name}: is not a whole number from 0 to ${most}`, { fix: 'Write 5.' });
}
