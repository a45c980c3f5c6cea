import type { FailedJob, FailedJobFilter, Failure, NewJob, RetryOutcome } from '../../../src/index.js';
import type { FailedJobTable } from './dialect.js';
import { type FailedJobRow, failedJobOf, rowOf } from './failed-job-row.js';
import { inTransaction, prepared, type SqliteConnection } from './sqlite-connection.js';
import { type SqliteFailedStatements, sqliteFailedStatements } from './sqlite-failed-statements.js';
import type { SqliteJobs } from './sqlite-jobs.js';

/** Given-up jobs in a SQLite table beside the live ones. */
export class SqliteFailedJobs implements FailedJobTable<SqliteConnection> {
  readonly #sql: SqliteFailedStatements;
  readonly #jobs: SqliteJobs;

  constructor(table: string, jobs: SqliteJobs) {
    this.#sql = sqliteFailedStatements(table);
    this.#jobs = jobs;
  }

  record(connection: SqliteConnection, failures: readonly FailedJob[]): void {
    inTransaction(connection, () => {
      for (const failure of failures) this.#keep(connection, failure);
    });
  }

  list(connection: SqliteConnection, filter: FailedJobFilter): FailedJob[] {
    const bound = {
      connection: filter.connection ?? null,
      queue: filter.queue ?? null,
      name: filter.name ?? null,
      since: filter.sinceMs ?? null,
      until: filter.untilMs ?? null,
      // SQLite takes a negative LIMIT for none at all.
      limit: Math.max(0, Math.floor(filter.limit ?? 100)),
      offset: Math.max(0, Math.floor(filter.offset ?? 0)),
    };
    return prepared<FailedJobRow>(connection, this.#sql.list).all(bound).map(failedJobOf);
  }

  find(connection: SqliteConnection, ids: readonly string[]): FailedJob[] {
    const rows = prepared<FailedJobRow>(connection, this.#sql.find).all({ ids: JSON.stringify(ids) });
    return rows.map(failedJobOf);
  }

  forget(connection: SqliteConnection, uuids: readonly string[]): number {
    return prepared(connection, this.#sql.forget).run({ uuids: JSON.stringify(uuids) }).changes;
  }

  flush(connection: SqliteConnection, beforeMs: number | undefined): number {
    if (beforeMs === undefined) return prepared(connection, this.#sql.flush).run().changes;
    return prepared(connection, this.#sql.flushBefore).run({ before: beforeMs }).changes;
  }

  fail(connection: SqliteConnection, failures: readonly Failure[]): boolean[] {
    return inTransaction(connection, () => {
      const leases = failures.map(({ lease }) => lease);
      const wereHeld = this.#jobs.deleteWithin(connection, leases);
      for (const [index, { record }] of failures.entries()) {
        if (wereHeld[index]) this.#keep(connection, record);
      }
      return wereHeld;
    });
  }

  retry(connection: SqliteConnection, uuids: readonly string[]): RetryOutcome[] {
    return inTransaction(connection, () => uuids.map((uuid) => this.#retryOne(connection, uuid)));
  }

  #retryOne(connection: SqliteConnection, uuid: string): RetryOutcome {
    const row = prepared<FailedJobRow>(connection, this.#sql.read).get({ uuid });
    if (row === undefined) return 'not-found';
    const job: NewJob = { id: row.job_id, body: row.payload };
    const [outcome] = this.#jobs.pushWithin(connection, row.queue, [job]);
    if (outcome !== 'stored') return 'already-there';
    this.forget(connection, [uuid]);
    return 'retried';
  }

  #keep(connection: SqliteConnection, failure: FailedJob): void {
    prepared(connection, this.#sql.keep).run(rowOf(failure));
  }
}
