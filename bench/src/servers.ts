import type { Place, Store } from './contender.js';
import { startMariadb } from './servers/mariadb.js';
import { startPostgres } from './servers/postgres.js';
import { startRedis } from './servers/redis.js';
import { startSqlite } from './servers/sqlite.js';

/** A store started for one run of the benchmark. */
export interface Server {
  /** An empty place for one measurement; the one before it is gone. */
  emptyPlace(): Promise<Place>;
  /** Begins to count what the server does. */
  startCounting?(): Promise<void>;
  /** How often it did each thing since then. */
  counted?(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** How a store is started. */
export interface ServerOptions {
  /** Redis: append each write to a file that is flushed every second. Default: no persistence. */
  readonly aof: boolean;
}

/** Starts a store. */
export const servers: Readonly<Record<Store, (options: ServerOptions) => Promise<Server>>> = {
  redis: startRedis,
  postgres: startPostgres,
  mysql: startMariadb,
  sqlite: startSqlite,
};
