import type { FailedJob, FailedJobFilter, Failure, NewJob, RetryOutcome } from '../../../src/index.js';
import type { Change, FailedJobTable } from './dialect.js';
import { columnNames, type FailedJobRow, failedJobOf, lastOfEach, rowOf } from './failed-job-row.js';
import { byQueue } from './lists.js';
import { changedBy, inPostgresTransaction, type PostgresConnection, rowsOf } from './postgres-connection.js';
import type { PostgresJobs } from './postgres-jobs.js';

/** Given-up jobs in a table of PostgreSQL beside the live ones. */
export class PostgresFailedJobs implements FailedJobTable<PostgresConnection> {
  readonly #table: string;
  readonly #jobs: PostgresJobs;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string, jobs: PostgresJobs) {
    this.#table = table;
    this.#jobs = jobs;
  }

  async record(connection: PostgresConnection, failures: readonly FailedJob[]): Promise<void> {
    if (failures.length > 0) await inPostgresTransaction(connection, () => this.#keep(connection, failures));
  }

  async list(connection: PostgresConnection, filter: FailedJobFilter): Promise<FailedJob[]> {
    const sql = `
SELECT * FROM ${this.#table}
WHERE ($1::text IS NULL OR connection = $1)
  AND ($2::text IS NULL OR queue = $2)
  AND ($3::text IS NULL OR name = $3)
  AND ($4::bigint IS NULL OR failed_at >= $4)
  AND ($5::bigint IS NULL OR failed_at <= $5)
ORDER BY failed_at DESC, uuid DESC
LIMIT $6 OFFSET $7`;
    const {
      connection: from = null,
      queue = null,
      name = null,
      sinceMs = null,
      untilMs = null,
      limit = 100,
      offset = 0,
    } = filter;
    const page = [Math.max(0, Math.floor(limit)), Math.max(0, Math.floor(offset))];
    const rows = await rowsOf<FailedJobRow>(connection, sql, [from, queue, name, sinceMs, untilMs, ...page]);
    return rows.map(failedJobOf);
  }

  async find(connection: PostgresConnection, ids: readonly string[]): Promise<FailedJob[]> {
    const sql = `
SELECT * FROM ${this.#table} WHERE uuid = ANY ($1::text[]) OR job_id = ANY ($1::text[])
ORDER BY failed_at DESC, uuid DESC`;
    return (await rowsOf<FailedJobRow>(connection, sql, [ids])).map(failedJobOf);
  }

  forget(connection: PostgresConnection, uuids: readonly string[]): Promise<number> {
    return changedBy(connection, `DELETE FROM ${this.#table} WHERE uuid = ANY ($1::text[])`, [uuids]);
  }

  flush(connection: PostgresConnection, beforeMs: number | undefined): Promise<number> {
    if (beforeMs === undefined) return changedBy(connection, `DELETE FROM ${this.#table}`, []);
    return changedBy(connection, `DELETE FROM ${this.#table} WHERE failed_at < $1`, [Math.ceil(beforeMs)]);
  }

  async fail(connection: PostgresConnection, failures: readonly Failure[]): Promise<boolean[]> {
    if (failures.length === 0) return [];
    return await inPostgresTransaction(connection, async () => {
      const wereHeld = await this.#jobs.delete(
        connection,
        failures.map(({ lease }) => lease),
      );
      const theirs = failures.filter((_, index) => wereHeld[index]);
      await this.#keep(
        connection,
        theirs.map(({ record }) => record),
      );
      return wereHeld;
    });
  }

  async retry(
    connection: PostgresConnection,
    uuids: readonly string[],
    onStored: (change: Change) => void,
  ): Promise<RetryOutcome[]> {
    if (uuids.length === 0) return [];
    return await inPostgresTransaction(connection, async () => {
      const sql = `SELECT * FROM ${this.#table} WHERE uuid = ANY ($1::text[]) FOR UPDATE`;
      const rows = await rowsOf<FailedJobRow>(connection, sql, [uuids]);
      const found = new Map(rows.map((row) => [row.uuid, row]));
      const retried = new Set<string>();
      for (const [queue, theirs] of byQueue([...new Set(uuids)].flatMap((uuid) => found.get(uuid) ?? []))) {
        const jobs = theirs.map((row): NewJob => ({ id: row.job_id, body: row.payload }));
        const outcomes = await this.#jobs.push(connection, queue, jobs);
        onStored({ queue, jobs: jobs.length });
        for (const [index, row] of theirs.entries()) if (outcomes[index] === 'stored') retried.add(row.uuid);
      }
      await this.forget(connection, [...retried]);
      return uuids.map((uuid) =>
        !found.has(uuid) ? 'not-found' : retried.delete(uuid) ? 'retried' : 'already-there',
      );
    });
  }

  /** The older record of the same job, whose uuid is another, becomes the new one. */
  async #keep(connection: PostgresConnection, failures: readonly FailedJob[]): Promise<void> {
    const rows = lastOfEach(failures).map(rowOf);
    if (rows.length === 0) return;
    const lists = columnNames.map((column, index) => `$${index + 1}::${typeOf(column)}[]`).join(', ');
    const sql = `
INSERT INTO ${this.#table} (${columnNames.join(', ')}) SELECT * FROM unnest(${lists})
ON CONFLICT (job_id, queue, connection)
DO UPDATE SET ${columnNames.map((column) => `${column} = excluded.${column}`).join(', ')}`;
    await changedBy(
      connection,
      sql,
      columnNames.map((column) => rows.map((row) => row[column])),
    );
  }
}

function typeOf(column: keyof FailedJobRow): string {
  if (column === 'attempts' || column === 'pid') return 'integer';
  return column === 'failed_at' ? 'bigint' : 'text';
}
