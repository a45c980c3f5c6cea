import type { Clock } from '../../../src/index.js';
import type { Sql } from '../profiles/sql.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** @param clock rules delays and leases, as SQLite has none. */
export function sqliteSql(clock: Clock): Sql<SqliteConnection> {
  return {
    quote: (name) => `"${name}"`,
    rows: <Row>(connection: SqliteConnection, text: string, values: readonly unknown[]) =>
      prepared<Row>(connection, text).all(...values),
    changed: (connection, text, values) => prepared(connection, text).run(...values).changes,
    insert: (connection, text, values) => String(prepared(connection, text).run(...values).lastInsertRowid),
    transaction: inOneTransaction,
    nowMs: () => clock.now(),
    // A transaction has the only write lock.
    lock: '',
    lockFree: () => '',
    localTime: (column) => `strftime('%Y-%m-%d %H:%M:%S', ${column})`,
  };
}

/** The connection is nobody else's meanwhile, though `work` waits for its own promises. */
async function inOneTransaction<T>(connection: SqliteConnection, work: () => Promise<T>): Promise<T> {
  prepared(connection, 'BEGIN IMMEDIATE').run();
  try {
    const result = await work();
    prepared(connection, 'COMMIT').run();
    return result;
  } catch (error) {
    // Some errors (a full disk) have rolled back already.
    if (connection.inTransaction) prepared(connection, 'ROLLBACK').run();
    throw error;
  }
}
