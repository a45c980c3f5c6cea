import type { DriverContext } from '../../src/index.js';
import type { Dialect, OwnDialect } from './dialects/dialect.js';
import type { MysqlConnection } from './dialects/mysql-connection.js';
import type { PostgresConnection } from './dialects/postgres-connection.js';
import type { SqliteConnection } from './dialects/sqlite-connection.js';
import type { ProfileSettings } from './profiles/apply-profile.js';
import type { DatabaseSettings } from './settings.js';
import { isPlainFile, plainAddress } from './target.js';

/** What is not for users to set of a dialect. */
export interface DialectInternals {
  /** False takes the way of MySQL servers that cannot skip locked rows. */
  readonly skipLocked?: boolean;
}

/** The dialect of MySQL and MariaDB. Each kind is a file of its own, which those of another kind spare. */
export async function loadMysql(
  settings: DatabaseSettings,
  { skipLocked }: DialectInternals = {},
): Promise<OwnDialect<MysqlConnection>> {
  const { mysqlDialect } = await import('./dialects/mysql.js');
  return mysqlDialect({ ...serverOf(settings), ...(skipLocked === undefined ? {} : { skipLocked }) });
}

/** The dialect of PostgreSQL. */
export async function loadPostgres(
  settings: DatabaseSettings,
  { logger }: DriverContext,
): Promise<OwnDialect<PostgresConnection>> {
  const { prepare, notify } = settings;
  const { postgresDialect } = await import('./dialects/postgres.js');
  return postgresDialect({ ...serverOf(settings), prepare, notify, logger });
}

/** The dialect of SQLite. */
export async function loadSqlite(
  { target, tables, synchronous }: DatabaseSettings,
  { clock, logger }: DriverContext,
): Promise<OwnDialect<SqliteConnection>> {
  const { place, file } = target;
  const isPlain = isPlainFile(target);
  const { sqliteDialect } = await import('./dialects/sqlite.js');
  return sqliteDialect({ filename: place, watched: file, isPlain, tables, synchronous, clock, logger });
}

/** The same for tables of PHP. */
export async function loadProfile<Connection>(
  loading: Promise<Dialect<Connection>>,
  { tables }: DatabaseSettings,
  php: ProfileSettings,
): Promise<Dialect<Connection>> {
  const [dialect, { withProfile }] = await Promise.all([loading, import('./profiles/apply-profile.js')]);
  return withProfile(dialect, tables, php);
}

function serverOf({ target, tables, commandTimeoutMs }: DatabaseSettings) {
  return {
    place: target.place,
    tables,
    // Whoever waits for an answer has given up by then, also one who was held up for as long as that.
    silenceMs: Math.min(2 * commandTimeoutMs, 2 ** 31 - 1), // as much as PostgreSQL takes
    address: plainAddress(target),
    readyMs: commandTimeoutMs,
  };
}
