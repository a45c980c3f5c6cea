import { type DatabaseOptions, database, databaseOptionNames } from '../drivers/database/index.js';
import { type MemoryOptions, memory } from '../drivers/memory/index.js';
import { type RedisOptions, redis, redisOptionNames } from '../drivers/redis/index.js';
import { sync } from '../drivers/sync/index.js';
import { type WebmanOptions, webman, webmanOptionNames } from '../drivers/webman/index.js';
import { connectionOptionNames, type Driver } from '../src/index.js';
import type { Environment } from './environment.js';

/** A driver that a JSON config can name. */
export interface JsonDriver {
  /** The options that may stand beside `driver`. */
  readonly options: readonly string[];
  /** @throws QueueError for options that cannot be. */
  make(options: object, env: Environment): Driver;
  /** The environment variables that stand in for options which are not given, by option. */
  readonly variables?: Readonly<Record<string, string>>;
}

// JSON can hold no client.
const redisOptions = redisOptionNames.filter((name) => name !== 'client');

const redisUrl = 'redis://127.0.0.1:6379';

const sqliteUrl = 'sqlite:./drover.sqlite';

/** What `driver` may say in a JSON config. */
export const jsonDrivers: Readonly<Record<string, JsonDriver>> = {
  database: {
    options: databaseOptionNames,
    make: (options, env) => makeDatabase(options, env.DATABASE_URL || sqliteUrl),
    variables: { url: 'DATABASE_URL' },
  },
  sqlite: { options: databaseOptionNames, make: (options) => makeDatabase(options, sqliteUrl) },
  redis: {
    options: redisOptions,
    make: (options, env) => makeRedis(options, env.REDIS_URL || redisUrl),
    variables: { url: 'REDIS_URL' },
  },
  webman: {
    options: webmanOptionNames.filter((name) => name !== 'client'),
    make: (options, env) => makeWebman(options, env.REDIS_URL || redisUrl),
    variables: { url: 'REDIS_URL' },
  },
  memory: {
    options: connectionOptionNames satisfies readonly (keyof MemoryOptions)[],
    make: (options) => memory(options),
  },
  sync: { options: ['queue'], make: (options) => sync(options) },
};

function makeDatabase(options: DatabaseOptions, url: string): Driver {
  return database(options.knex === undefined ? { url, ...options } : options);
}

function makeRedis(options: RedisOptions, url: string): Driver {
  const hasPlace = options.ioredis !== undefined || options.cluster !== undefined;
  return redis(hasPlace ? options : { url, ...options });
}

function makeWebman(options: WebmanOptions, url: string): Driver {
  return webman(options.ioredis === undefined ? { url, ...options } : options);
}
