import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Database, default as SqliteClass, Statement } from 'better-sqlite3';
import type { SingleOpener } from '../single.js';

/** A better-sqlite3 connection, opened by us or by knex. */
export type SqliteConnection = Database;

/** How a connection that we open writes to the disk. */
export type Synchronous = 'normal' | 'full';

/**
 * How long SQLite itself waits for a lock, in ms. Short, as better-sqlite3 holds up the event loop while it
 * waits; longer conflicts are waited out without that (see conflicts.ts).
 */
const busyTimeoutMs = 25;

/**
 * What SQLite keeps of the file in memory, in KiB, where better-sqlite3 has 16 MB, which a queue fills with pages of jobs
 * that never come back.
 */
const cacheKiB = 500;

/** From how many pages on a transaction writes some before its end: SQLite's own default, more than it keeps after it. */
const spillPages = 500;

const statements = new WeakMap<SqliteConnection, Map<string, Statement<unknown[], unknown>>>();

/** The prepared statement of a text, made once per connection. Texts are few: they never hold values. */
export function prepared<Row = unknown>(
  connection: SqliteConnection,
  sql: string,
): Statement<unknown[], Row> {
  let known = statements.get(connection);
  if (known === undefined) {
    known = new Map();
    statements.set(connection, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    // An application may have told its connection to answer bigints; times and ids here fit a number.
    statement = connection.prepare<unknown[], unknown>(sql).safeIntegers(false);
    known.set(sql, statement);
  }
  return statement as Statement<unknown[], Row>;
}

/** As {@link prepared}, for rows as arrays in the order of the columns: several times as fast to make as objects. */
export function preparedRaw<Row extends readonly unknown[]>(
  connection: SqliteConnection,
  sql: string,
): Statement<unknown[], Row> {
  return prepared<Row>(connection, sql).raw(true);
}

/**
 * Runs `work` between BEGIN IMMEDIATE and COMMIT, or rolls all of it back.
 *
 * IMMEDIATE takes the write lock first. A deferred BEGIN that reads and then writes fails at once when
 * another process wrote in between, however long the busy timeout is.
 */
export function inTransaction<T>(connection: SqliteConnection, work: () => T): T {
  prepared(connection, 'BEGIN IMMEDIATE').run();
  try {
    const result = work();
    prepared(connection, 'COMMIT').run();
    return result;
  } catch (error) {
    // Some errors (a full disk) have rolled back already.
    if (connection.inTransaction) prepared(connection, 'ROLLBACK').run();
    throw error;
  }
}

/** Opens connections to a file. The only place that loads better-sqlite3 itself, and only once it is needed. */
export function sqliteOpener(filename: string): SingleOpener<SqliteConnection> {
  return {
    client: 'better-sqlite3',
    open() {
      const load = createRequire(import.meta.url);
      const Sqlite: typeof SqliteClass = load('better-sqlite3');
      const nativeBinding = nativePart(load.resolve('better-sqlite3'));
      return new Sqlite(filename, existsSync(nativeBinding) ? { nativeBinding } : {});
    },
    close: (connection) => void connection.close(),
  };
}

/** Where better-sqlite3 has its native part; it looks by itself in other places too, which takes it a millisecond. */
function nativePart(entry: string): string {
  return join(dirname(entry), '../build/Release/better_sqlite3.node');
}

/** Sets up a connection of our own. Answers the journal mode, which is not `wal` where it cannot be. */
export function configureConnection(connection: SqliteConnection, synchronous: Synchronous): string {
  connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
  const journalMode = String(connection.pragma('journal_mode = WAL', { simple: true }));
  connection.pragma(synchronous === 'full' ? 'synchronous = FULL' : 'synchronous = NORMAL');
  connection.pragma(`cache_size = -${cacheKiB}`);
  connection.pragma(`cache_spill = ${spillPages}`);
  return journalMode;
}

/**
 * Shortens the busy timeout of an application's connection, which is 5 s unless it chose another, while we
 * use it. Answers the way back.
 */
export function shortenBusyTimeout(connection: SqliteConnection): () => void {
  const timeout = Number(connection.pragma('busy_timeout', { simple: true }));
  if (timeout <= busyTimeoutMs) return () => {};
  connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
  return () => {
    connection.pragma(`busy_timeout = ${timeout}`);
  };
}
