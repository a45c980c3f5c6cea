import { type ConnectionOptions, connectionOptionNames, type Duration } from '../../src/index.js';
import type { KnexConfig, KnexInstance } from './knex-types.js';
import type { WireName } from './profiles/profile.js';
import type { TableOptions } from './tables.js';

/** Options of a database connection. Exactly one of `url` and `knex` says where the tables are. */
export interface DatabaseOptions extends ConnectionOptions, TableOptions {
  /**
   * `mysql://user:password@host/database` (`mariadb:` means the same), `postgres://user:password@host/database`
   * (or `postgresql:`), or a SQLite file: `sqlite:./queue.sqlite` (from the working directory),
   * `sqlite:///var/lib/app/queue.sqlite` or `sqlite::memory:`; `file:` means the same. A missing file is made,
   * readable by this user only.
   */
  readonly url?: string;
  /**
   * A knex configuration for better-sqlite3, mysql2 or pg, or a ready Knex instance. The instance stays yours:
   * `close()` leaves it open. While your own transactions hold all the connections of its pool, a push waits
   * for one, so do not await one inside the other.
   */
  readonly knex?: KnexConfig | KnexInstance;
  /**
   * Makes and updates the tables when the connection is first used. Default true; false for a ready
   * instance, where `drover queue:migrate` does it.
   */
  readonly autoMigrate?: boolean;
  /**
   * What a commit to a SQLite file waits for. `normal`: every accepted job survives the death of the process,
   * kill -9 too, but the last commits may be gone after a power loss or a crash of the machine (the file stays
   * sound). `full` waits for the disk at every commit and closes that gap, at about half the speed for single jobs.
   * Default `normal`. Without effect on a ready instance, whose connections are set up by you, and on servers, whose
   * own settings rule.
   */
  readonly synchronous?: 'normal' | 'full';
  /**
   * Keeps prepared statements on each PostgreSQL connection that the driver opens. By default where the connection is
   * seen to have a session of the server for itself; behind a pooler that hands out another session for each
   * transaction they would not be found again.
   */
  readonly prepare?: boolean;
  /**
   * Wakes waiting workers by PostgreSQL's NOTIFY, for which each process that works keeps one connection more.
   * Default true; false behind a pooler that hands out another session for each transaction, where workers look
   * by themselves. The same for all that push and work.
   */
  readonly notify?: boolean;
  /**
   * How long a server may take for one call, waiting for a connection included, before it counts as unavailable.
   * Default `'10s'`. Migrations have ten minutes.
   */
  readonly commandTimeout?: Duration;
  /**
   * Works on PHP's tables, beside PHP's own workers, in place of drover's: those of think-queue 3, of think-queue 1 and 2,
   * or of Laravel. `lease` must then be the `retry_after` (`expire`) of PHP's connection, in whole seconds.
   */
  readonly wire?: WireName;
  /** The time zone of the PHP application, in which its failed jobs have their times. For `wire`. Default `'UTC'`. */
  readonly timeZone?: string;
}

/** Names of the options of `database`. */
export const databaseOptionNames = [
  'url',
  'knex',
  'table',
  'failedTable',
  'signalsTable',
  'workersTable',
  'statisticsTable',
  'historyTable',
  'prefix',
  'schema',
  'autoMigrate',
  'synchronous',
  'prepare',
  'notify',
  'commandTimeout',
  'wire',
  'timeZone',
  ...connectionOptionNames,
] as const satisfies readonly (keyof DatabaseOptions)[];
