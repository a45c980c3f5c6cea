import { randomBytes } from 'node:crypto';
import type {
  Clock,
  Lease,
  NewJob,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
} from '../../../src/index.js';
import type { DeletedAndReserved, JobTable } from './dialect.js';
import { inTransaction, prepared, type SqliteConnection } from './sqlite-connection.js';
import { type SqliteJobStatements, sqliteJobStatements } from './sqlite-job-statements.js';

interface ReservedRow {
  readonly id: number;
  readonly job_id: string;
  readonly queue: string;
  readonly payload: string;
  readonly attempts: number;
  readonly exceptions: number;
  readonly lease_token: string;
  readonly due_at: number;
}

/** Live jobs in a SQLite table. `clock` rules delays and leases, as SQLite has no clock of its own. */
export class SqliteJobs implements JobTable<SqliteConnection> {
  readonly #sql: SqliteJobStatements;
  readonly #clock: Clock;

  constructor(table: string, clock: Clock) {
    this.#sql = sqliteJobStatements(table);
    this.#clock = clock;
  }

  push(connection: SqliteConnection, queue: string, jobs: readonly NewJob[]): PushOutcome[] {
    const pushAll = () => this.pushWithin(connection, queue, jobs);
    // A statement by itself is a transaction.
    return jobs.length === 1 ? pushAll() : inTransaction(connection, pushAll);
  }

  pushWithin(connection: SqliteConnection, queue: string, jobs: readonly NewJob[]): PushOutcome[] {
    const nowMs = this.#clock.now();
    return jobs.map((job) => this.#pushOne(connection, queue, job, nowMs));
  }

  reserve(
    connection: SqliteConnection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): ReservedJob[] {
    // SQLite takes a negative LIMIT for none at all.
    if (!(limit >= 1)) return [];
    const [only] = queues;
    if (queues.length === 1 && only !== undefined) return this.#take(connection, only, limit, leaseMs);
    // One transaction: an error at a later queue must not leave jobs of an earlier one taken and unknown.
    return inTransaction(connection, () => this.#takeFrom(connection, queues, limit, leaseMs));
  }

  deleteAndReserve(
    connection: SqliteConnection,
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): DeletedAndReserved {
    return inTransaction(connection, () => ({
      held: this.delete(connection, leases),
      jobs: limit >= 1 ? this.#takeFrom(connection, queues, limit, leaseMs) : [],
    }));
  }

  extend(connection: SqliteConnection, leases: readonly Lease[], leaseMs: number): boolean[] {
    const leaseEnd = this.#clock.now() + Math.ceil(leaseMs);
    const held = settle(connection, this.#sql.extend, leases.map(asPair), { leaseEnd });
    return leases.map(({ token }) => held.has(token));
  }

  delete(connection: SqliteConnection, leases: readonly Lease[]): boolean[] {
    const held = settle(connection, this.#sql.delete, leases.map(asPair), {});
    return leases.map(({ token }) => held.delete(token));
  }

  deleteWithin(connection: SqliteConnection, leases: readonly Lease[]): boolean[] {
    return this.delete(connection, leases); // one statement
  }

  release(connection: SqliteConnection, releases: readonly Release[]): boolean[] {
    return this.#release(connection, this.#sql.release, releases);
  }

  postpone(connection: SqliteConnection, releases: readonly Release[]): boolean[] {
    return this.#release(connection, this.#sql.postpone, releases);
  }

  releaseThrown(connection: SqliteConnection, releases: readonly Release[]): boolean[] {
    return this.#release(connection, this.#sql.releaseThrown, releases);
  }

  #release(connection: SqliteConnection, sql: string, releases: readonly Release[]): boolean[] {
    if (haveJobTwice(releases.map(({ lease }) => lease))) {
      return oneByOne(connection, releases, (one) => this.#release(connection, sql, one));
    }
    const triples = releases.map(({ lease, delayMs }) => [lease.handle, lease.token, Math.ceil(delayMs)]);
    const held = settle(connection, sql, triples, { now: this.#clock.now() });
    return releases.map(({ lease }) => held.delete(lease.handle));
  }

  unreserve(connection: SqliteConnection, leases: readonly Lease[]): boolean[] {
    if (haveJobTwice(leases)) return oneByOne(connection, leases, (one) => this.unreserve(connection, one));
    const held = settle(connection, this.#sql.unreserve, leases.map(asPair), {});
    return leases.map((lease) => held.delete(lease.handle));
  }

  size(connection: SqliteConnection, queue: string): QueueSize {
    const row = prepared<QueueSize>(connection, this.#sql.size).get({ queue, now: this.#clock.now() });
    return row ?? { ready: 0, delayed: 0, reserved: 0 };
  }

  longestWaitMs(connection: SqliteConnection, queue: string): number | null {
    const bound = { queue, now: this.#clock.now() };
    return prepared<{ ms: number | null }>(connection, this.#sql.longestWait).get(bound)?.ms ?? null;
  }

  clear(connection: SqliteConnection, queue: string, withReserved: boolean): QueueSize {
    const bound = { queue, now: this.#clock.now() };
    const remove = (sql: string): number => prepared(connection, sql).run(bound).changes;
    return inTransaction(connection, () => ({
      ready: remove(this.#sql.clearReady),
      delayed: remove(this.#sql.clearDelayed),
      reserved: withReserved ? remove(this.#sql.clearReserved) : 0,
    }));
  }

  #pushOne(connection: SqliteConnection, queue: string, job: NewJob, nowMs: number): PushOutcome {
    const dueAt = Math.max(nowMs, Math.ceil(job.availableAtMs ?? nowMs + (job.delayMs ?? 0)));
    const row = { id: job.id, queue, dueAt, now: nowMs, payload: job.body };
    return prepared(connection, this.#sql.push).run(row).changes === 1 ? 'stored' : 'already-there';
  }

  #takeFrom(
    connection: SqliteConnection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): ReservedJob[] {
    const taken: ReservedJob[] = [];
    for (const queue of queues) {
      if (taken.length >= limit) break;
      for (const job of this.#take(connection, queue, limit - taken.length, leaseMs)) taken.push(job);
    }
    return taken;
  }

  #take(connection: SqliteConnection, queue: string, limit: number, leaseMs: number): ReservedJob[] {
    const nowMs = this.#clock.now();
    const rows = prepared<ReservedRow>(connection, this.#sql.reserve).all({
      queue,
      limit: Math.floor(Math.min(limit, Number.MAX_SAFE_INTEGER)),
      now: nowMs,
      leaseEnd: nowMs + Math.ceil(leaseMs),
      token: randomBytes(12).toString('base64url'),
    });
    // RETURNING promises no order.
    rows.sort((a, b) => a.due_at - b.due_at || a.id - b.id);
    return rows.map(reservedJob);
  }
}

function reservedJob(row: ReservedRow): ReservedJob {
  return {
    id: row.job_id,
    queue: row.queue,
    body: row.payload,
    attempts: row.attempts,
    exceptions: row.exceptions,
    lease: { queue: row.queue, token: row.lease_token, handle: row.id },
  };
}

/** The row id and token of a lease, as the statements expect them. */
function asPair({ handle, token }: Lease): readonly unknown[] {
  return [handle, token];
}

/** True where a row id cannot tell which lease was held. */
function haveJobTwice(leases: readonly Lease[]): boolean {
  return new Set(leases.map(({ handle }) => handle)).size < leases.length;
}

function oneByOne<T>(
  connection: SqliteConnection,
  all: readonly T[],
  settleOne: (one: readonly T[]) => boolean[],
): boolean[] {
  return inTransaction(connection, () => all.flatMap((one) => settleOne([one])));
}

/** Runs a settling statement over all leases; answers the tokens, or the row ids, of those that were held. */
function settle(
  connection: SqliteConnection,
  sql: string,
  leases: readonly (readonly unknown[])[],
  bound: Readonly<Record<string, unknown>>,
): Set<string | number> {
  const rows = prepared<{ answer: string | number }>(connection, sql).all({
    ...bound,
    leases: JSON.stringify(leases),
  });
  return new Set(rows.map(({ answer }) => answer));
}
