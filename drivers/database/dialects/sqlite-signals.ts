import type { SignalTable } from './dialect.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** Signals in a SQLite table. */
export class SqliteSignals implements SignalTable<SqliteConnection> {
  readonly #read: string;
  readonly #write: string;
  readonly #add: string;
  readonly #swap: string;

  constructor(table: string) {
    this.#read = `SELECT name, value FROM "${table}" WHERE name IN (SELECT value FROM json_each(:keys))`;
    this.#write = `
INSERT INTO "${table}" (name, value) VALUES (:key, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
    this.#add = `INSERT INTO "${table}" (name, value) VALUES (:key, :value) ON CONFLICT (name) DO NOTHING`;
    this.#swap = `UPDATE "${table}" SET value = :value WHERE name = :key AND value = :expected`;
  }

  read(connection: SqliteConnection, keys: readonly string[]): ReadonlyMap<string, string> {
    const rows = prepared<{ name: string; value: string }>(connection, this.#read).all({
      keys: JSON.stringify(keys),
    });
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  write(connection: SqliteConnection, key: string, value: string): void {
    prepared(connection, this.#write).run({ key, value });
  }

  swap(connection: SqliteConnection, key: string, expected: string | null, value: string): boolean {
    const statement = prepared(connection, expected === null ? this.#add : this.#swap);
    return statement.run(expected === null ? { key, value } : { key, value, expected }).changes === 1;
  }
}
