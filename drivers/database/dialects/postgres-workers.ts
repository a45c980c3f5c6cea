import type { Beat, BeatEntry } from '../../../src/index.js';
import type { WorkerTable } from './dialect.js';
import { changedBy, type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

/** The list of live workers in a table of PostgreSQL. */
export class PostgresWorkers implements WorkerTable<PostgresConnection> {
  readonly #table: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
  }

  async beat(connection: PostgresConnection, { id, about, keepMs }: Beat): Promise<void> {
    const sql = `
INSERT INTO ${this.#table} (worker, until_at, about) VALUES ($1, ${postgresNow} + $2::bigint, $3)
ON CONFLICT (worker) DO UPDATE SET until_at = excluded.until_at, about = excluded.about`;
    await changedBy(connection, sql, [id, Math.ceil(keepMs), about]);
  }

  list(connection: PostgresConnection): Promise<BeatEntry[]> {
    const sql = `
SELECT worker AS id, about, (until_at - ${postgresNow})::float8 AS "leftMs" FROM ${this.#table}
WHERE until_at > ${postgresNow}`;
    return rowsOf<BeatEntry>(connection, sql, []);
  }

  async leave(connection: PostgresConnection, id: string): Promise<void> {
    await changedBy(connection, `DELETE FROM ${this.#table} WHERE worker = $1`, [id]);
  }

  async prune(connection: PostgresConnection): Promise<void> {
    await changedBy(connection, `DELETE FROM ${this.#table} WHERE until_at <= ${postgresNow}`, []);
  }
}
