import type { SignalTable } from './dialect.js';
import { changedBy, type MysqlConnection, rowsOf } from './mysql-connection.js';

/** Signals in a table of MySQL or MariaDB. */
export class MysqlSignals implements SignalTable<MysqlConnection> {
  readonly #table: string;

  /** @param table quoted. */
  constructor(table: string) {
    this.#table = table;
  }

  async read(connection: MysqlConnection, key: string): Promise<string | null> {
    const sql = `SELECT value FROM ${this.#table} WHERE name = ?`;
    const [row] = await rowsOf<{ value: string }>(connection, sql, [key]);
    return row?.value ?? null;
  }

  async write(connection: MysqlConnection, key: string, value: string): Promise<void> {
    const sql = `
INSERT INTO ${this.#table} (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)`;
    await changedBy(connection, sql, [key, value]);
  }
}
