import type { SignalTable } from './dialect.js';
import { changedBy, type MysqlConnection, marks, rowsOf } from './mysql-connection.js';

/** Signals in a table of MySQL or MariaDB. */
export class MysqlSignals implements SignalTable<MysqlConnection> {
  readonly #table: string;

  /** @param table quoted. */
  constructor(table: string) {
    this.#table = table;
  }

  async read(connection: MysqlConnection, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (keys.length === 0) return new Map();
    const sql = `SELECT name, value FROM ${this.#table} WHERE name IN (${marks(keys.length)})`;
    const rows = await rowsOf<{ name: string; value: string }>(connection, sql, keys);
    return new Map(rows.map(({ name, value }) => [name, value]));
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
