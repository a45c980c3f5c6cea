import { connectionSettings, type Driver, QueueError } from '../../src/index.js';
import { connectDatabase } from './connect.js';
import type { DatabaseOptions } from './options.js';
import { readOptions } from './settings.js';

export type { KnexConfig, KnexInstance } from './knex-types.js';
export { type DatabaseOptions, databaseOptionNames } from './options.js';

/**
 * Jobs in tables of a SQL database: PostgreSQL (pg), MySQL and MariaDB (mysql2), or SQLite (better-sqlite3), with knex
 * for the tables themselves and for connections that a knex configuration describes. Jobs, given-up jobs and signals
 * live in the same database, which any number of processes can share; a SQLite file those of one machine.
 *
 * @param options a URL such as `'postgres://user:password@host/database'`, `'mysql://user:password@host/database'` or
 * `'sqlite:./queue.sqlite'`, or {@link DatabaseOptions}.
 * @throws QueueError `E_CONFIG`, `E_UNSUPPORTED`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be.
 * Verbs reject with `E_DRIVER_MISSING` where a package is missing, and with `E_STORE_*`.
 */
export function database(options: string | DatabaseOptions): Driver {
  const given = typeof options === 'string' ? { url: options } : options;
  if (typeof given !== 'object' || given === null) {
    throw new QueueError('E_CONFIG', 'database() needs a URL or options', {
      fix: "Write database('sqlite:./queue.sqlite'), or the URL of a server.",
    });
  }
  const settings = readOptions(given);
  return {
    driver: 'database',
    settings: connectionSettings(given),
    ...(settings.php && { wire: settings.php.profile.wire }),
    connect: (context) => connectDatabase(settings, context),
  };
}
