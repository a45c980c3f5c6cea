import type { FailedJob, FailedJobFilter, Failure, NewJob, RetryOutcome } from '../../../src/index.js';
import type { FailedJobTable } from './dialect.js';
import { columnNames, type FailedJobRow, failedJobOf, lastOfEach, rowOf } from './failed-job-row.js';
import { batchesOf, byQueue, partsOf } from './lists.js';
import { changedBy, inMysqlTransaction, type MysqlConnection, marks, rowsOf } from './mysql-connection.js';
import type { MysqlJobs } from './mysql-jobs.js';

/** Records or ids in one statement. */
const longestList = 256;

/** Records in one REPLACE, and characters of their texts: far below the 16 MB that a server takes in one packet. */
const most = { items: 64, characters: 2 ** 21 };

/** Given-up jobs in a table of MySQL or MariaDB beside the live ones. */
export class MysqlFailedJobs implements FailedJobTable<MysqlConnection> {
  readonly #table: string;
  readonly #jobs: MysqlJobs;

  /** @param table quoted. */
  constructor(table: string, jobs: MysqlJobs) {
    this.#table = table;
    this.#jobs = jobs;
  }

  async record(connection: MysqlConnection, failures: readonly FailedJob[]): Promise<void> {
    if (failures.length > 0) await inMysqlTransaction(connection, () => this.#keep(connection, failures));
  }

  async list(connection: MysqlConnection, filter: FailedJobFilter): Promise<FailedJob[]> {
    const conditions = Object.entries({
      'connection = ?': filter.connection,
      'queue = ?': filter.queue,
      'name = ?': filter.name,
      'failed_at >= ?': filter.sinceMs,
      'failed_at <= ?': filter.untilMs,
    }).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
    const where = conditions.map(([condition]) => condition).join(' AND ') || 'TRUE';
    const sql = `
SELECT * FROM ${this.#table} WHERE ${where} ORDER BY failed_at DESC, uuid DESC LIMIT ? OFFSET ?`;
    const page = [Math.max(0, Math.floor(filter.limit ?? 100)), Math.max(0, Math.floor(filter.offset ?? 0))];
    const rows = await rowsOf<FailedJobRow>(connection, sql, [
      ...conditions.map(([, value]) => value),
      ...page,
    ]);
    return rows.map(failedJobOf);
  }

  async find(connection: MysqlConnection, ids: readonly string[]): Promise<FailedJob[]> {
    const found = new Map<string, FailedJob>();
    for (const part of partsOf(ids, longestList)) {
      const list = marks(part.length);
      const sql = `SELECT * FROM ${this.#table} WHERE uuid IN (${list}) OR job_id IN (${list})`;
      for (const row of await rowsOf<FailedJobRow>(connection, sql, [...part, ...part])) {
        found.set(row.uuid, failedJobOf(row));
      }
    }
    return [...found.values()].sort((a, b) => b.failedAtMs - a.failedAtMs || (a.uuid < b.uuid ? 1 : -1));
  }

  forget(connection: MysqlConnection, uuids: readonly string[]): Promise<number> {
    if (uuids.length === 0) return Promise.resolve(0);
    return inMysqlTransaction(connection, () => this.#remove(connection, uuids));
  }

  flush(connection: MysqlConnection, beforeMs: number | undefined): Promise<number> {
    if (beforeMs === undefined) return changedBy(connection, `DELETE FROM ${this.#table}`, []);
    return changedBy(connection, `DELETE FROM ${this.#table} WHERE failed_at < ?`, [beforeMs]);
  }

  async fail(connection: MysqlConnection, failures: readonly Failure[]): Promise<boolean[]> {
    if (failures.length === 0) return [];
    return await inMysqlTransaction(connection, async () => {
      const wereHeld = await this.#jobs.deleteWithin(
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

  async retry(connection: MysqlConnection, uuids: readonly string[]): Promise<RetryOutcome[]> {
    if (uuids.length === 0) return [];
    return await inMysqlTransaction(connection, async () => {
      const found = await this.#lock(connection, uuids);
      const rows = [...new Set(uuids)].flatMap((uuid) => found.get(uuid) ?? []);
      const retried = new Set<string>();
      for (const [queue, theirs] of byQueue(rows)) {
        const jobs = theirs.map((row): NewJob => ({ id: row.job_id, body: row.payload }));
        const outcomes = await this.#jobs.pushWithin(connection, queue, jobs);
        for (const [index, row] of theirs.entries()) if (outcomes[index] === 'stored') retried.add(row.uuid);
      }
      await this.#remove(connection, [...retried]);
      return uuids.map((uuid) =>
        !found.has(uuid) ? 'not-found' : retried.delete(uuid) ? 'retried' : 'already-there',
      );
    });
  }

  async #lock(connection: MysqlConnection, uuids: readonly string[]): Promise<Map<string, FailedJobRow>> {
    const found = new Map<string, FailedJobRow>();
    for (const part of partsOf(uuids, longestList)) {
      const sql = `SELECT * FROM ${this.#table} WHERE uuid IN (${marks(part.length)}) FOR UPDATE`;
      for (const row of await rowsOf<FailedJobRow>(connection, sql, part)) found.set(row.uuid, row);
    }
    return found;
  }

  async #remove(connection: MysqlConnection, uuids: readonly string[]): Promise<number> {
    let removed = 0;
    for (const part of partsOf(uuids, longestList)) {
      const sql = `DELETE FROM ${this.#table} WHERE uuid IN (${marks(part.length)})`;
      removed += await changedBy(connection, sql, part);
    }
    return removed;
  }

  /** REPLACE drops the older record of the same job, whose uuid is another. */
  async #keep(connection: MysqlConnection, failures: readonly FailedJob[]): Promise<void> {
    const rows = lastOfEach(failures).map(rowOf);
    for (const batch of batchesOf(rows, most, charactersOf)) {
      const values = batch.map(() => `(${marks(columnNames.length)})`).join(', ');
      await changedBy(
        connection,
        `REPLACE INTO ${this.#table} (${columnNames.join(', ')}) VALUES ${values}`,
        batch.flatMap((row) => columnNames.map((column) => row[column])),
      );
    }
  }
}

function charactersOf({ payload, message, stack, causes }: FailedJobRow): number {
  return payload.length + message.length + stack.length + causes.length;
}
