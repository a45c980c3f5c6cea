import type { Sql } from '../profiles/sql.js';
import {
  changedBy,
  inPostgresTransaction,
  type PostgresConnection,
  postgresNow,
  rowsOf,
} from './postgres-connection.js';

/** PostgreSQL's marks are numbered. */
export const postgresSql: Sql<PostgresConnection> = {
  quote: (name) => `"${name}"`,
  rows: (connection, text, values) => rowsOf(connection, numbered(text), values),
  changed: (connection, text, values) => changedBy(connection, numbered(text), values),
  async insert(connection, text, values) {
    const [row] = await rowsOf<{ id: string }>(connection, `${numbered(text)} RETURNING id`, values);
    return String(row?.id);
  },
  transaction: inPostgresTransaction,
  async nowMs(connection) {
    const [row] = await rowsOf<{ now: string }>(connection, `SELECT ${postgresNow} AS now`, []);
    return Number(row?.now);
  },
  lock: '\nFOR UPDATE',
  lockFree: () => '\nFOR UPDATE SKIP LOCKED',
  localTime: (column) => `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS')`,
};

function numbered(text: string): string {
  let count = 0;
  return text.replace(/\?/g, () => {
    count += 1;
    return `$${count}`;
  });
}
