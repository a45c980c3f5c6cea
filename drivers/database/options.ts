import { defaultTables, historyTable, type TableNames } from '../../migrations/index.js';
import {
  type ConnectionOptions,
  checkOptionNames,
  connectionOptionNames,
  QueueError,
} from '../../src/index.js';
import { checkFilename, filenameOfUrl } from './dialects/sqlite-url.js';
import type { KnexConfig, KnexInstance } from './knex-types.js';

/** Options of a database connection. Exactly one of `url` and `knex` says where the tables are. */
export interface DatabaseOptions extends ConnectionOptions {
  /**
   * `sqlite:./queue.sqlite` (from the working directory), `sqlite:///var/lib/app/queue.sqlite` or
   * `sqlite::memory:`; `file:` means the same. A missing file is made, readable by this user only.
   */
  readonly url?: string;
  /**
   * A knex configuration for better-sqlite3, or a ready Knex instance. The instance stays yours: `close()`
   * leaves it open. While one of your own transactions holds the only connection of its pool, a push
   * waits for it, so do not await one inside the other.
   */
  readonly knex?: KnexConfig | KnexInstance;
  /** The table of jobs. Default `jobs`. */
  readonly table?: string;
  /** The table of given-up jobs. Default `failed_jobs`. */
  readonly failedTable?: string;
  /** The table of signals to workers. Default `queue_signals`. */
  readonly signalsTable?: string;
  /**
   * Makes and updates the tables when the connection is first used. Default true; false for a ready
   * instance, where `drover queue:migrate` does it.
   */
  readonly autoMigrate?: boolean;
  /**
   * What a commit waits for. `normal`: every accepted job survives the death of the process, kill -9
   * too, but the last commits may be gone after a power loss or a crash of the machine (the file stays sound).
   * `full` waits for the disk at every commit and closes that gap, at about half the speed for single jobs. Default
   * `normal`. Without effect on a ready instance, whose connections are set up by you.
   */
  readonly synchronous?: 'normal' | 'full';
}

/** Options checked and filled in. */
export interface DatabaseSettings {
  readonly target: Target;
  readonly tables: TableNames;
  readonly autoMigrate: boolean;
  readonly synchronous: 'normal' | 'full';
}

/** Where the tables are: in a file that the driver opens, or behind an instance of the application. */
type Target =
  | { readonly kind: 'file'; readonly filename: string; readonly config: KnexConfig }
  | { readonly kind: 'instance'; readonly filename: string; readonly instance: KnexInstance };

/** Names of the options of `database`. */
export const databaseOptionNames = [
  'url',
  'knex',
  'table',
  'failedTable',
  'signalsTable',
  'autoMigrate',
  'synchronous',
  ...connectionOptionNames,
] as const satisfies readonly (keyof DatabaseOptions)[];

/**
 * Checks the options of `database`. Opens nothing.
 *
 * @throws QueueError `E_CONFIG` naming the option, or `E_UNSUPPORTED` for a database other than SQLite.
 */
export function readOptions(options: DatabaseOptions): DatabaseSettings {
  checkOptionNames(options, databaseOptionNames, 'database');
  const target = readTarget(options);
  const { autoMigrate = target.kind === 'file', synchronous = 'normal' } = options;
  if (typeof autoMigrate !== 'boolean')
    throw invalid('autoMigrate: is not true or false', 'Write true or false.');
  if (synchronous !== 'normal' && synchronous !== 'full') {
    throw invalid("synchronous: is not 'normal' or 'full'", "Write 'normal' or 'full'.");
  }
  return { target, tables: readTables(options), autoMigrate, synchronous };
}

function readTarget({ url, knex }: DatabaseOptions): Target {
  if ((url === undefined) === (knex === undefined)) {
    const what = url === undefined ? 'url: is missing' : 'url and knex: only one of them can be set';
    throw invalid(what, "Set url, such as 'sqlite:./queue.sqlite', or knex.");
  }
  if (url !== undefined) {
    if (typeof url !== 'string') throw invalid('url: is not a text', "Write 'sqlite:./queue.sqlite'.");
    return fileTarget(filenameOfUrl(url));
  }
  if (isInstance(knex)) return instanceTarget(knex);
  return configTarget(knex);
}

function fileTarget(filename: string): Target {
  return { kind: 'file', filename, config: { client: 'better-sqlite3', connection: { filename } } };
}

function configTarget(config: KnexConfig | undefined): Target {
  refuseOtherClient(config?.client);
  const given = config?.connection?.filename;
  if (config === undefined || typeof given !== 'string') {
    throw invalid(
      'knex: connection.filename is missing',
      "Write connection: { filename: './queue.sqlite' }.",
    );
  }
  const filename = checkFilename(given, 'knex.connection.filename');
  const connection = { ...config.connection, filename };
  return { kind: 'file', filename, config: { ...config, connection } };
}

function instanceTarget(instance: KnexInstance): Target {
  refuseOtherClient(instance.client.config?.client ?? instance.client.driverName);
  if ('isTransaction' in instance && instance.isTransaction === true) {
    throw invalid(
      'knex: is a transaction, which ends before the queue does',
      'Give the Knex instance itself.',
    );
  }
  const filename = instance.client.connectionSettings?.filename;
  return { kind: 'instance', filename: typeof filename === 'string' ? filename : 'the database', instance };
}

function isInstance(knex: unknown): knex is KnexInstance {
  return typeof knex === 'function' && 'client' in knex;
}

function refuseOtherClient(client: unknown): void {
  if (client === 'better-sqlite3') return;
  if (client === undefined) throw invalid('knex: client is missing', "Write client: 'better-sqlite3'.");
  const named = typeof client === 'string' ? client : 'a class';
  const what = `knex: client ${named}: this version's database driver speaks SQLite only`;
  throw new QueueError('E_UNSUPPORTED', what, { fix: "Write client: 'better-sqlite3'." });
}

function readTables(options: DatabaseOptions): TableNames {
  const tables = {
    jobs: identifier('table', options.table ?? defaultTables.jobs),
    failedJobs: identifier('failedTable', options.failedTable ?? defaultTables.failedJobs),
    signals: identifier('signalsTable', options.signalsTable ?? defaultTables.signals),
  };
  const names = [...Object.values(tables), historyTable].map((name) => name.toLowerCase());
  if (new Set(names).size < names.length) {
    const fix = `Give each its own name, other than ${historyTable}.`;
    throw invalid('table, failedTable, signalsTable: two tables have the same name', fix);
  }
  return tables;
}

function identifier(key: string, name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z_]\w{0,62}$/.test(name) && !/^sqlite_/i.test(name)) return name;
  const fix = 'Start with a letter or _, then up to 62 letters, digits or _; not with sqlite_.';
  throw invalid(`${key}: ${JSON.stringify(name)} cannot be the name of a table`, fix);
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}
