import type { Sql } from '../profiles/sql.js';
import {
  changedBy,
  inMysqlTransaction,
  insertedBy,
  type MysqlConnection,
  mysqlNow,
  rowsOf,
} from './mysql-connection.js';
import { canSkipLocked, versionOf } from './mysql-version.js';

/** @param skipLocked as the server's version has it unless told. */
export function mysqlSql(skipLocked?: boolean): Sql<MysqlConnection> {
  const lock = '\nFOR UPDATE';
  return {
    quote: (name) => `\`${name}\``,
    rows: rowsOf,
    changed: changedBy,
    insert: insertedBy,
    transaction: inMysqlTransaction,
    async nowMs(connection) {
      const [row] = await rowsOf<{ now: number }>(connection, `SELECT ${mysqlNow} AS now`, []);
      return Number(row?.now);
    },
    lock,
    lockFree: async (connection) =>
      (skipLocked ?? canSkipLocked(await versionOf(connection))) ? `${lock} SKIP LOCKED` : lock,
    localTime: (column) => `DATE_FORMAT(${column}, '%Y-%m-%d %H:%i:%s')`,
  };
}
