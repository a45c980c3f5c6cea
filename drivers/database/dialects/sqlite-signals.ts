import type { SignalTable } from './dialect.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** Signals in a SQLite table. */
export class SqliteSignals implements SignalTable<SqliteConnection> {
  readonly #read: string;
  readonly #write: string;

  constructor(table: string) {
    this.#read = `SELECT name, value FROM "${table}" WHERE name IN (SELECT value FROM json_each(:keys))`;
    this.#write = `
INSERT INTO "${table}" (name, value) VALUES (:key, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
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
}
