import type { Driver, FailedJob, FailedJobFilter, Failure, RetryOutcome } from '../../../src/index.js';
import type { Change, FailedJobTable } from '../dialects/dialect.js';
import { likeUuid } from './exception-text.js';
import { type FailedRow, failedJobOf, uuidOf, valuesOf } from './failed-row.js';
import { type FailedStatements, failedStatements } from './failed-statements.js';
import type { LocalTime } from './local-time.js';
import type { TableProfile } from './profile.js';
import type { ProfileJobs } from './profile-jobs.js';
import type { Sql, SqlValue } from './sql.js';

/** What the verbs on PHP's failed jobs work with. */
export interface ProfileFailedJobsOptions<Connection> {
  readonly sql: Sql<Connection>;
  /** Quoted, with its schema where that is told. */
  readonly table: string;
  readonly profile: Pick<TableProfile, 'failed'>;
  readonly wire: NonNullable<Driver['wire']>;
  readonly jobs: ProfileJobs<Connection>;
  readonly time: LocalTime;
}

/** Records of a list that are read at once where the name decides which count. */
const pageSize = 200;

/** Given-up jobs in PHP's table beside the live ones: what `queue:failed`, `queue:retry` and so on of PHP work on. */
export class ProfileFailedJobs<Connection> implements FailedJobTable<Connection> {
  readonly #options: ProfileFailedJobsOptions<Connection>;
  readonly #sql: Sql<Connection>;
  readonly #text: FailedStatements;
  readonly #hasUuids: boolean;

  constructor(options: ProfileFailedJobsOptions<Connection>) {
    const { sql, table, profile } = options;
    this.#options = options;
    this.#sql = sql;
    this.#text = failedStatements(profile.failed, table, sql);
    this.#hasUuids = profile.failed.id === 'uuid';
  }

  async record(connection: Connection, failures: readonly FailedJob[]): Promise<void> {
    if (failures.length > 0) await this.#sql.transaction(connection, () => this.#keep(connection, failures));
  }

  async fail(connection: Connection, failures: readonly Failure[]): Promise<boolean[]> {
    if (failures.length === 0) return [];
    return await this.#sql.transaction(connection, async () => {
      const leases = failures.map(({ lease }) => lease);
      const wereHeld = await this.#options.jobs.deleteWithin(connection, leases);
      const theirs = failures.filter((_, index) => wereHeld[index]);
      await this.#keep(
        connection,
        theirs.map(({ record }) => record),
      );
      return wereHeld;
    });
  }

  async list(connection: Connection, filter: FailedJobFilter): Promise<FailedJob[]> {
    const { limit = 100, offset = 0, name } = filter;
    if (name === undefined) return await this.#page(connection, filter, limit, offset);
    // The name stands in the payload alone.
    const named: FailedJob[] = [];
    for (let from = 0; named.length < offset + limit; from += pageSize) {
      const page = await this.#page(connection, filter, pageSize, from);
      named.push(...page.filter((job) => job.name === name));
      if (page.length < pageSize) break;
    }
    return named.slice(offset, offset + limit);
  }

  async find(connection: Connection, ids: readonly string[]): Promise<FailedJob[]> {
    const found = new Map<string, FailedRow>();
    for (const id of new Set(ids)) {
      const [row] = await this.#rowsOf(connection, id, '');
      if (row !== undefined) found.set(String(row.id), row);
    }
    const rows = [...found.values()].sort((a, b) => Number(b.id) - Number(a.id));
    return rows.map((row) => this.#failedJob(row));
  }

  async forget(connection: Connection, uuids: readonly string[]): Promise<number> {
    return await this.#sql.transaction(connection, async () => {
      let forgotten = 0;
      for (const uuid of new Set(uuids)) {
        const [row] = await this.#rowsOf(connection, uuid, '');
        if (row !== undefined) forgotten += await this.#sql.changed(connection, this.#text.delete, [row.id]);
      }
      return forgotten;
    });
  }

  async flush(connection: Connection, beforeMs: number | undefined): Promise<number> {
    if (beforeMs === undefined) return await this.#sql.changed(connection, this.#text.flush, []);
    const before = this.#options.time.textOf(beforeMs);
    return await this.#sql.changed(connection, this.#text.flushBefore, [before]);
  }

  async retry(
    connection: Connection,
    uuids: readonly string[],
    onStored: (change: Change) => void,
  ): Promise<RetryOutcome[]> {
    return await this.#sql.transaction(connection, async () => {
      const outcomes: RetryOutcome[] = [];
      for (const uuid of uuids) {
        const [row] = await this.#rowsOf(connection, uuid, this.#sql.lock);
        outcomes.push(row === undefined ? 'not-found' : 'retried');
        if (row === undefined) continue;
        const { jobId: id, payload: body, queue } = this.#failedJob(row);
        await this.#options.jobs.pushWithin(connection, queue, [{ id, body }]);
        await this.#sql.changed(connection, this.#text.delete, [row.id]);
        onStored({ queue, jobs: 1 });
      }
      return outcomes;
    });
  }

  async #keep(connection: Connection, failures: readonly FailedJob[]): Promise<void> {
    for (const failure of failures) {
      const values = valuesOf(failure, this.#options.time);
      if (!this.#hasUuids) {
        await this.#sql.insert(connection, this.#text.keep, values);
        continue;
      }
      const uuid = uuidOf(failure);
      // Laravel gives a record the uuid of its job, which is the same when that fails again.
      await this.#sql.changed(connection, this.#text.deleteUuid, [uuid]);
      await this.#sql.insert(connection, this.#text.keep, [...values, uuid]);
    }
  }

  async #page(
    connection: Connection,
    { connection: from, queue, sinceMs, untilMs }: FailedJobFilter,
    limit: number,
    offset: number,
  ): Promise<FailedJob[]> {
    const [since, until] = [sinceMs, untilMs].map((ms) =>
      ms === undefined ? undefined : this.#options.time.textOf(ms),
    );
    const conditions = { from, queue, since, until };
    const values = Object.values(conditions).filter((value) => value !== undefined);
    const page: SqlValue[] = [Math.max(0, Math.floor(limit)), Math.max(0, Math.floor(offset))];
    const text = this.#text.list(conditions);
    const rows = await this.#sql.rows<FailedRow>(connection, text, [...values, ...page]);
    return rows.map((row) => this.#failedJob(row));
  }

  /** By what PHP's commands take, or by the uuid under which the job failed here. */
  async #rowsOf(connection: Connection, id: string, lock: string): Promise<FailedRow[]> {
    const isRowId = /^\d{1,18}$/.test(id);
    if (!isRowId && !/^[\w-]{1,255}$/.test(id)) return [];
    if (isRowId && !this.#hasUuids) return await this.#sql.rows(connection, this.#text.byId + lock, [id]);
    if (isRowId) return [];
    const values = this.#hasUuids ? [id, likeUuid(id)] : [likeUuid(id)];
    return await this.#sql.rows(connection, this.#text.byUuid + lock, values);
  }

  #failedJob(row: FailedRow): FailedJob {
    return failedJobOf(row, this.#options.wire, this.#options.time);
  }
}
