import type {
  Clock,
  Lease,
  NewJob,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
} from '../../../src/index.js';
import type { DeletedAndReserved, OwnJobTable } from './dialect.js';
import { newTokenStem } from './reserved-job.js';
import { inTransaction, prepared, preparedRaw, type SqliteConnection } from './sqlite-connection.js';
import { type SqliteJobStatements, sqliteJobStatements } from './sqlite-job-statements.js';
import { storeJobs } from './sqlite-push.js';

/** Its id, job_id, payload, attempts so far and exceptions. */
type DueRow = readonly [number, string, string, number, number];

/** Live jobs in a SQLite table. `clock` rules delays and leases, as SQLite has no clock of its own. */
export class SqliteJobs implements OwnJobTable<SqliteConnection> {
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
    return storeJobs(connection, this.#sql, queue, jobs, this.#clock.now());
  }

  reserve(
    connection: SqliteConnection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): ReservedJob[] {
    // SQLite takes a negative LIMIT for none at all.
    if (!(limit >= 1)) return [];
    // One transaction: an error at a later job must not leave earlier ones taken and unknown.
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
      held: this.deleteWithin(connection, leases),
      jobs: limit >= 1 ? this.#takeFrom(connection, queues, limit, leaseMs) : [],
    }));
  }

  extend(connection: SqliteConnection, leases: readonly Lease[], leaseMs: number): boolean[] {
    const leaseEnd = this.#clock.now() + Math.ceil(leaseMs);
    const held = settle(connection, this.#sql.extend, leases.map(asPair), { leaseEnd });
    return leases.map(({ token }) => held.has(token));
  }

  delete(connection: SqliteConnection, leases: readonly Lease[]): boolean[] {
    const deleteAll = () => this.deleteWithin(connection, leases);
    // A statement by itself is a transaction.
    return leases.length === 1 ? deleteAll() : inTransaction(connection, deleteAll);
  }

  /** One by one: a statement for all of them, over json_each, takes half as long again. */
  deleteWithin(connection: SqliteConnection, leases: readonly Lease[]): boolean[] {
    const statement = prepared(connection, this.#sql.delete);
    return leases.map(({ handle, token }) => statement.run(handle, token).changes === 1);
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
    const leaseEndMs = nowMs + Math.ceil(leaseMs);
    const stem = newTokenStem();
    const most = Math.floor(Math.min(limit, Number.MAX_SAFE_INTEGER));
    const due = preparedRaw<DueRow>(connection, this.#sql.due).all({ queue, now: nowMs, limit: most });
    const take = prepared(connection, this.#sql.take);
    return due.map(([handle, id, body, attempts, exceptions], place) => {
      // Not the row's id: V8 keeps the text of each number, which then outlives collections and makes its heap grow.
      const token = `${stem}:${place}`;
      take.run(nowMs, leaseEndMs, token, handle);
      return { id, queue, body, attempts: attempts + 1, exceptions, lease: { queue, token, handle } };
    });
  }
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
