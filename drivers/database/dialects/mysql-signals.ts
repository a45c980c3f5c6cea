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

  async swap(
    connection: MysqlConnection,
    key: string,
    expected: string | null,
    value: string,
  ): Promise<boolean> {
    // Counts rows that are found, not those that change: an equal value counts.
    const add = `INSERT IGNORE INTO ${this.#table} (name, value) VALUES (?, ?)`;
    const swap = `UPDATE ${this.#table} SET value = ? WHERE name = ? AND value = ?`;
    if (expected === null) return (await changedBy(connection, add, [key, value])) === 1;
    return (await changedBy(connection, swap, [value, key, expected])) === 1;
  }
}
