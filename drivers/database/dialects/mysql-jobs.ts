import type { Lease, NewJob, PushOutcome, QueueSize, Release, ReservedJob } from '../../../src/index.js';
import type { DeletedAndReserved, OwnJobTable } from './dialect.js';
import { partsOf } from './lists.js';
import {
  afterSavepoint,
  changedBy,
  inMysqlTransaction,
  type MysqlConnection,
  padded,
  rowsOf,
} from './mysql-connection.js';
import { type MysqlJobStatements, mysqlJobStatements } from './mysql-job-statements.js';
import { pushJobs } from './mysql-push.js';
import { isOneTake, takeJobs } from './mysql-reserve.js';
import {
  bindHeld,
  deleteHeld,
  type HeldRow,
  isOneStatement,
  longestList,
  settleHeld,
} from './mysql-settle.js';
import { canSkipLocked, versionOf } from './mysql-version.js';

/** Live jobs in a table of MySQL or MariaDB. */
export class MysqlJobs implements OwnJobTable<MysqlConnection> {
  readonly #sql: MysqlJobStatements;
  readonly #skipLocked: boolean | undefined;

  /**
   * @param table quoted.
   * @param skipLocked false for the way without SKIP LOCKED; as the server's version has it unless told.
   */
  constructor(table: string, skipLocked?: boolean) {
    this.#sql = mysqlJobStatements(table);
    this.#skipLocked = skipLocked;
  }

  push(connection: MysqlConnection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    if (jobs.length === 0) return Promise.resolve([]);
    return pushJobs(connection, this.#sql, queue, jobs);
  }

  pushWithin(connection: MysqlConnection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return pushJobs(connection, this.#sql, queue, jobs, (work) => afterSavepoint(connection, work));
  }

  async reserve(
    connection: MysqlConnection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<ReservedJob[]> {
    if (!(limit >= 1)) return [];
    const canSkip = await this.#canSkipLocked(connection);
    const take = () => takeJobs(connection, this.#sql, queues, limit, leaseMs, canSkip);
    return await (isOneTake(queues, canSkip) ? take() : inMysqlTransaction(connection, take));
  }

  async deleteAndReserve(
    connection: MysqlConnection,
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<DeletedAndReserved> {
    // Who waits for others' rows must hold none: it would be a deadlock.
    if (!(await this.#canSkipLocked(connection))) {
      const held = await this.delete(connection, leases);
      return { held, jobs: limit >= 1 ? await this.reserve(connection, queues, limit, leaseMs) : [] };
    }
    return inMysqlTransaction(connection, async () => {
      const held = await deleteHeld(connection, this.#sql, leases);
      if (!(limit >= 1)) return { held, jobs: [] };
      return { held, jobs: await takeJobs(connection, this.#sql, queues, limit, leaseMs, true) };
    });
  }

  async #canSkipLocked(connection: MysqlConnection): Promise<boolean> {
    return this.#skipLocked ?? canSkipLocked(await versionOf(connection));
  }

  async extend(connection: MysqlConnection, leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    const held: string[] = [];
    for (const part of partsOf(leases, longestList)) {
      const bound = bindHeld(part);
      const statement = this.#sql.extend(bound.length / 2);
      if ((await changedBy(connection, statement, [Math.ceil(leaseMs), ...bound])) === part.length) {
        held.push(...part.map(({ token }) => token));
        continue;
      }
      // Those that were held still have their token.
      const rows = await rowsOf<HeldRow>(connection, this.#sql.withTokens(bound.length / 2), bound);
      held.push(...rows.map(({ lease_token }) => lease_token));
    }
    const tokens = new Set(held);
    return leases.map(({ token }) => tokens.has(token));
  }

  async delete(connection: MysqlConnection, leases: readonly Lease[]): Promise<boolean[]> {
    if (await isOneStatement(connection, leases)) return await deleteHeld(connection, this.#sql, leases);
    return await settleHeld(connection, this.#sql, leases.map(withoutDelay), (on, part) => {
      const bound = bindHeld(part.map(({ lease }) => lease));
      return changedBy(on, this.#sql.delete(bound.length / 2), bound);
    });
  }

  release(connection: MysqlConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, releases, '');
  }

  postpone(connection: MysqlConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, releases, 'attempts = attempts - 1,');
  }

  releaseThrown(connection: MysqlConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, releases, 'exceptions = exceptions + 1,');
  }

  #release(
    connection: MysqlConnection,
    releases: readonly Release[],
    count: Parameters<MysqlJobStatements['release']>[1],
  ): Promise<boolean[]> {
    return settleHeld(connection, this.#sql, releases, (on, part) => {
      const bound = bindHeld(part.map(({ lease }) => lease));
      const delays = padded(part).flatMap(({ lease, delayMs }) => [lease.handle, Math.ceil(delayMs)]);
      return changedBy(on, this.#sql.release(bound.length / 2, count), [...delays, ...bound]);
    });
  }

  unreserve(connection: MysqlConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return settleHeld(connection, this.#sql, leases.map(withoutDelay), (on, part) => {
      const bound = bindHeld(part.map(({ lease }) => lease));
      return changedBy(on, this.#sql.unreserve(bound.length / 2), bound);
    });
  }

  deleteWithin(connection: MysqlConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return deleteHeld(connection, this.#sql, leases);
  }

  async size(connection: MysqlConnection, queue: string): Promise<QueueSize> {
    const [row] = await rowsOf<{ ready: number; later: number; reserved: number }>(
      connection,
      this.#sql.size,
      [queue, queue, queue],
    );
    const [ready, later, reserved] = [row?.ready, row?.later, row?.reserved].map((count) =>
      Number(count ?? 0),
    );
    return { ready: ready ?? 0, delayed: (later ?? 0) - (reserved ?? 0), reserved: reserved ?? 0 };
  }

  async longestWaitMs(connection: MysqlConnection, queue: string): Promise<number | null> {
    const [row] = await rowsOf<{ ms: number | string | null }>(connection, this.#sql.longestWait, [queue]);
    return row?.ms == null ? null : Number(row.ms);
  }

  clear(connection: MysqlConnection, queue: string, withReserved: boolean): Promise<QueueSize> {
    return inMysqlTransaction(connection, async () => {
      const [row] = await rowsOf<{ now: number }>(connection, this.#sql.now, []);
      const bound = [queue, row?.now ?? 0];
      return {
        ready: await changedBy(connection, this.#sql.clearReady, bound),
        delayed: await changedBy(connection, this.#sql.clearDelayed, bound),
        reserved: withReserved ? await changedBy(connection, this.#sql.clearReserved, bound) : 0,
      };
    });
  }
}

function withoutDelay(lease: Lease): Release {
  return { lease, delayMs: 0 };
}
