import type { Lease, NewJob, PushOutcome, QueueSize, Release, ReservedJob } from '../../../src/index.js';
import type { JobTable } from './dialect.js';
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
import { reserveJobs } from './mysql-reserve.js';
import { isMariadb, versionOf } from './mysql-version.js';
import { answersFor } from './reserved-job.js';

/** What a settling statement is given: leases, filled up to a count that it has a text for. */
type Settle = (connection: MysqlConnection, releases: readonly Release[]) => Promise<number>;

/** Longer lists are settled in several statements of one transaction. */
const longestList = 1024;

/** Live jobs in a table of MySQL or MariaDB. */
export class MysqlJobs implements JobTable<MysqlConnection> {
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
    return await reserveJobs(connection, this.#sql, queues, limit, leaseMs, this.#skipLocked);
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
    if (isMariadb(await versionOf(connection)) && leases.length <= longestList) {
      const bound = bindHeld(leases);
      if (bound.length === 0) return [];
      const rows = await rowsOf<HeldRow>(connection, this.#sql.deleteReturning(bound.length / 2), bound);
      return answersFor(
        leases,
        rows.map(({ lease_token }) => lease_token),
      );
    }
    return await this.#settle(connection, leases.map(withoutDelay), (on, part) => {
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
    return this.#settle(connection, releases, (on, part) => {
      const bound = bindHeld(part.map(({ lease }) => lease));
      const delays = padded(part).flatMap(({ lease, delayMs }) => [lease.handle, Math.ceil(delayMs)]);
      return changedBy(on, this.#sql.release(bound.length / 2, count), [...delays, ...bound]);
    });
  }

  unreserve(connection: MysqlConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return this.#settle(connection, leases.map(withoutDelay), (on, part) => {
      const bound = bindHeld(part.map(({ lease }) => lease));
      return changedBy(on, this.#sql.unreserve(bound.length / 2), bound);
    });
  }

  /** Locks the jobs of those leases that are held, inside a transaction of the caller; answers their tokens. */
  async #lockHeld(connection: MysqlConnection, leases: readonly Lease[]): Promise<Set<string>> {
    const held = new Set<string>();
    for (const part of partsOf(leases, longestList)) {
      const bound = bindHeld(part);
      const rows = await rowsOf<HeldRow>(connection, this.#sql.lockHeld(bound.length / 2), bound);
      for (const { lease_token } of rows) held.add(lease_token);
    }
    return held;
  }

  async deleteWithin(connection: MysqlConnection, leases: readonly Lease[]): Promise<boolean[]> {
    const held = await this.#lockHeld(connection, leases);
    for (const part of partsOf(
      leases.filter(({ token }) => held.has(token)),
      longestList,
    )) {
      const bound = bindHeld(part);
      await changedBy(connection, this.#sql.delete(bound.length / 2), bound);
    }
    return answersFor(leases, held);
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

  /**
   * Settles all that are held and tells which those were. The statement answers only how many it changed: where
   * that is not all of them it is taken back, and those that are held are locked before they are settled.
   */
  async #settle(
    connection: MysqlConnection,
    releases: readonly Release[],
    settle: Settle,
  ): Promise<boolean[]> {
    const leases = releases.map(({ lease }) => lease);
    const once = distinct(releases);
    const [only] = once;
    if (only === undefined) return [];
    const settleAll = async (list: readonly Release[]): Promise<number> => {
      let settled = 0;
      for (const part of partsOf(list, longestList)) settled += await settle(connection, part);
      return settled;
    };
    if (once.length === 1) return answersFor(leases, (await settleAll(once)) === 1 ? [only.lease.token] : []);
    const areAllHeld = await inMysqlTransaction(connection, async () => {
      if ((await settleAll(once)) === once.length) return true;
      throw new NotAllHeld();
    }).catch(orFalse);
    if (areAllHeld) return answersFor(leases, once.map(tokenOf));
    const held = await inMysqlTransaction(connection, async () => {
      const tokens = await this.#lockHeld(
        connection,
        once.map(({ lease }) => lease),
      );
      await settleAll(once.filter((release) => tokens.has(tokenOf(release))));
      return tokens;
    });
    return answersFor(leases, held);
  }
}

/** Rolls a settlement back. */
class NotAllHeld extends Error {}

function orFalse(error: unknown): false {
  if (error instanceof NotAllHeld) return false;
  throw error;
}

function tokenOf({ lease }: Release): string {
  return lease.token;
}

interface HeldRow {
  readonly lease_token: string;
}

function withoutDelay(lease: Lease): Release {
  return { lease, delayMs: 0 };
}

function distinct(releases: readonly Release[]): Release[] {
  const seen = new Map<string, Release>();
  for (const release of releases) {
    if (!seen.has(release.lease.token)) seen.set(release.lease.token, release);
  }
  return [...seen.values()];
}

/** The row ids and the tokens of leases, as the statements expect them. */
function bindHeld(leases: readonly Lease[]): (string | number)[] {
  const all = padded(leases);
  return [...all.map(({ handle }) => handle), ...all.map(({ token }) => token)];
}
