import { createHash } from 'node:crypto';
import type { Alone, Listener, News } from './dialect.js';
import { type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

/** The channel on which changes of a table of jobs are told, with the name of the queue. */
export function channelOf(table: string): string {
  return `drover_${createHash('sha256').update(table).digest('hex').slice(0, 24)}`;
}

/** Changes of a table of jobs, told by NOTIFY when the transaction that made them commits. */
export class PostgresNews implements News<PostgresConnection> {
  readonly #table: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
  }

  async listen(
    openAlone: () => Promise<Alone<PostgresConnection>>,
    onChange: (queue: string) => void,
    onEnd: () => void,
  ): Promise<Listener> {
    const { connection, end } = await openAlone();
    try {
      connection.on('notification', ({ payload }) => onChange(payload ?? ''));
      connection.on('end', onEnd);
      await connection.query(`LISTEN ${channelOf(this.#table)}`);
    } catch (error) {
      await end();
      throw error;
    }
    return { end };
  }

  async msUntilDue(connection: PostgresConnection, queues: readonly string[]): Promise<number> {
    const sql = `
SELECT min(next.available_at) - ${postgresNow} AS ms
FROM unnest($1::text[]) AS wanted (queue),
  LATERAL (
    SELECT job.available_at FROM ${this.#table} AS job
    WHERE job.queue = wanted.queue
    ORDER BY job.available_at, job.id
    LIMIT 1
  ) AS next`;
    const [row] = await rowsOf<{ ms: string | null }>(connection, sql, [queues]);
    return row?.ms == null ? Number.POSITIVE_INFINITY : Number(row.ms);
  }
}
