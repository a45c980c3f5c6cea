import type { LookTable, Sight } from './dialect.js';
import { type LookRow, sightOf } from './look-rows.js';
import { type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

/** Looks at tables of PostgreSQL. */
export class PostgresLooks implements LookTable<PostgresConnection> {
  readonly #sql: string;

  /** @param jobs, signals the tables, quoted, with their schema where that is told. */
  constructor(jobs: string, signals: string) {
    this.#sql = postgresLook(jobs, signals);
  }

  async look(
    connection: PostgresConnection,
    queues: readonly string[],
    signals: readonly string[],
  ): Promise<Sight> {
    return sightOf(await rowsOf<LookRow>(connection, this.#sql, [queues, signals]));
  }
}

/** The head of each queue by the index, and the signals by their key. */
export function postgresLook(jobs: string, signals: string): string {
  return `
SELECT min(next.available_at) - ${postgresNow} AS ms, NULL::text AS name, NULL::text AS value
FROM unnest($1::text[]) AS wanted (queue),
  LATERAL (
    SELECT job.available_at FROM ${jobs} AS job
    WHERE job.queue = wanted.queue
    ORDER BY job.available_at, job.id
    LIMIT 1
  ) AS next
UNION ALL
SELECT NULL, name, value FROM ${signals} WHERE name = ANY ($2::text[])`;
}
