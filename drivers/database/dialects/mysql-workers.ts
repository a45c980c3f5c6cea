import type { Beat, BeatEntry } from '../../../src/index.js';
import type { WorkerTable } from './dialect.js';
import { changedBy, type MysqlConnection, mysqlNow, rowsOf } from './mysql-connection.js';

/** The list of live workers in a table of MySQL or MariaDB. */
export class MysqlWorkers implements WorkerTable<MysqlConnection> {
  readonly #table: string;

  /** @param table quoted. */
  constructor(table: string) {
    this.#table = table;
  }

  async beat(connection: MysqlConnection, { id, about, keepMs }: Beat): Promise<void> {
    const sql = `
INSERT INTO ${this.#table} (worker, until_at, about) VALUES (?, ${mysqlNow} + ?, ?)
ON DUPLICATE KEY UPDATE until_at = VALUES(until_at), about = VALUES(about)`;
    await changedBy(connection, sql, [id, Math.ceil(keepMs), about]);
  }

  async list(connection: MysqlConnection): Promise<BeatEntry[]> {
    const sql = `
SELECT worker AS id, about, until_at - ${mysqlNow} AS leftMs FROM ${this.#table} WHERE until_at > ${mysqlNow}`;
    const rows = await rowsOf<BeatEntry>(connection, sql, []);
    return rows.map(({ id, about, leftMs }) => ({ id, about, leftMs: Number(leftMs) }));
  }

  async leave(connection: MysqlConnection, id: string): Promise<void> {
    await changedBy(connection, `DELETE FROM ${this.#table} WHERE worker = ?`, [id]);
  }

  async prune(connection: MysqlConnection): Promise<void> {
    await changedBy(connection, `DELETE FROM ${this.#table} WHERE until_at <= ${mysqlNow}`, []);
  }
}
