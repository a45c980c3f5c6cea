import type { SignalTable } from './dialect.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** Signals in a SQLite table. */
export class SqliteSignals implements SignalTable<SqliteConnection> {
  readonly #read: string;
  readonly #write: string;

  constructor(table: string) {
    this.#read = `SELECT value FROM "${table}" WHERE name = :key`;
    this.#write = `
INSERT INTO "${table}" (name, value) VALUES (:key, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
  }

  read(connection: SqliteConnection, key: string): string | null {
    return prepared<{ value: string }>(connection, this.#read).get({ key })?.value ?? null;
  }

  write(connection: SqliteConnection, key: string, value: string): void {
    prepared(connection, this.#write).run({ key, value });
  }
}
