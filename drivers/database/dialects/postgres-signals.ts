import type { SignalTable } from './dialect.js';
import { changedBy, type PostgresConnection, rowsOf } from './postgres-connection.js';

/** Signals in a table of PostgreSQL. */
export class PostgresSignals implements SignalTable<PostgresConnection> {
  readonly #table: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
  }

  async read(connection: PostgresConnection, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sql = `SELECT name, value FROM ${this.#table} WHERE name = ANY ($1::text[])`;
    const rows = await rowsOf<{ name: string; value: string }>(connection, sql, [keys]);
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  async write(connection: PostgresConnection, key: string, value: string): Promise<void> {
    const sql = `
INSERT INTO ${this.#table} (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
    await changedBy(connection, sql, [key, value]);
  }

  async swap(
    connection: PostgresConnection,
    key: string,
    expected: string | null,
    value: string,
  ): Promise<boolean> {
    const add = `INSERT INTO ${this.#table} (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`;
    const swap = `UPDATE ${this.#table} SET value = $2 WHERE name = $1 AND value = $3`;
    if (expected === null) return (await changedBy(connection, add, [key, value])) === 1;
    return (await changedBy(connection, swap, [key, value, expected])) === 1;
  }
}
