import type { Beat } from '../../../src/index.js';
import type { LookTable, Sight } from './dialect.js';
import { type LookRow, sightOf } from './look-rows.js';
import { type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

/** Looks at tables of PostgreSQL. */
export class PostgresLooks implements LookTable<PostgresConnection> {
  readonly #sql: string;
  readonly #withBeats: string;

  /** @param jobs, signals, workers the tables, quoted, with their schema where that is told. */
  constructor(jobs: string, signals: string, workers: string) {
    this.#sql = postgresLook(jobs, signals);
    this.#withBeats = beatsAlong(workers) + this.#sql;
  }

  async look(
    connection: PostgresConnection,
    queues: readonly string[],
    signals: readonly string[],
    beats: readonly Beat[] = [],
  ): Promise<Sight> {
    if (beats.length === 0) return sightOf(await rowsOf<LookRow>(connection, this.#sql, [queues, signals]));
    const rows = await rowsOf<LookRow>(connection, this.#withBeats, [
      queues,
      signals,
      beats.map(({ id }) => id),
      beats.map(({ keepMs }) => Math.ceil(keepMs)),
      beats.map(({ about }) => about),
    ]);
    return sightOf(rows);
  }
}

function beatsAlong(workers: string): string {
  return `
WITH beats AS (
  INSERT INTO ${workers} (worker, until_at, about)
  SELECT beat.worker, ${postgresNow} + beat.keep, beat.about
  FROM unnest($3::text[], $4::bigint[], $5::text[]) AS beat (worker, keep, about)
  ON CONFLICT (worker) DO UPDATE SET until_at = excluded.until_at, about = excluded.about
)`;
}

/** The head of each queue by the index, and the signals by their key. */
function postgresLook(jobs: string, signals: string): string {
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
