import type { Lease, NewJob, PushOutcome, QueueSize, Release, ReservedJob } from '../../../src/index.js';
import type { JobTable } from '../dialects/dialect.js';
import { newTokenStem } from '../dialects/reserved-job.js';
import { LeaseMarks } from './lease-marks.js';
import type { TableProfile } from './profile.js';
import { Seconds } from './seconds.js';
import type { Sql, SqlValue } from './sql.js';
import { mostAttempts, type ProfileRow, type ProfileStatements } from './statements.js';

/** What the verbs on a table of PHP work with. */
export interface ProfileJobsOptions<Connection> {
  readonly sql: Sql<Connection>;
  readonly statements: ProfileStatements;
  readonly profile: Pick<TableProfile, 'countedOn'>;
  /** How long a reservation lasts for all that share the table, in ms; whole seconds. */
  readonly retryAfterMs: number;
}

/** The most jobs of one queue in one statement. */
const mostJobs = 1024;

/**
 * Live jobs in a table of PHP, one row after the other: what a lease is held by differs from row to row. No
 * attempt is taken back at once, as it tells two deliveries apart: there is no `unreserve`, and so a worker reserves
 * nothing ahead.
 */
export class ProfileJobs<Connection> implements JobTable<Connection> {
  readonly #sql: Sql<Connection>;
  readonly #text: ProfileStatements;
  readonly #countsOnReturn: boolean;
  readonly #retryAfterMs: number;
  readonly #marks = new LeaseMarks();

  constructor({ sql, statements, profile, retryAfterMs }: ProfileJobsOptions<Connection>) {
    this.#sql = sql;
    this.#text = statements;
    this.#countsOnReturn = profile.countedOn === 'return';
    this.#retryAfterMs = retryAfterMs;
  }

  push(connection: Connection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const pushAll = () => this.pushWithin(connection, queue, jobs);
    // A statement by itself is a transaction.
    return jobs.length <= 1 ? pushAll() : this.#sql.transaction(connection, pushAll);
  }

  async pushWithin(connection: Connection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    if (jobs.length === 0) return [];
    const seconds = await this.#seconds(connection);
    const outcomes: PushOutcome[] = [];
    for (const { body, delayMs = 0, availableAtMs } of jobs) {
      const due = availableAtMs === undefined ? seconds.after(delayMs) : seconds.at(availableAtMs);
      const values = [queue, body, due, seconds.now];
      outcomes.push({ storedAs: await this.#sql.insert(connection, this.#text.push, values) });
    }
    return outcomes;
  }

  async reserve(
    connection: Connection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<ReservedJob[]> {
    const most = Math.min(mostJobs, Math.floor(limit));
    if (!(most >= 1) || queues.length === 0) return [];
    const seconds = await this.#seconds(connection);
    const taken = await this.#sql.transaction(connection, async () => {
      const jobs: ReservedJob[] = [];
      for (const queue of queues) {
        if (jobs.length >= most) break;
        jobs.push(...(await this.#take(connection, queue, most - jobs.length, seconds, leaseMs)));
      }
      return jobs;
    });
    for (const { lease } of taken) this.#marks.note(lease, seconds.sinceFor(leaseMs));
    return taken;
  }

  async #take(
    connection: Connection,
    queue: string,
    limit: number,
    seconds: Seconds,
    leaseMs: number,
  ): Promise<ReservedJob[]> {
    const bound = [queue, seconds.now, seconds.lapsedBefore, limit];
    const due = this.#text.due + (await this.#sql.lockFree(connection));
    const rows = await this.#sql.rows<ProfileRow>(connection, due, bound);
    const ids = filledUp(rows.map(({ id }) => id));
    if (ids.length === 0) return [];
    const since = seconds.sinceFor(leaseMs);
    await this.#sql.changed(connection, this.#text.take(ids.length), [since, ...ids]);
    const stem = newTokenStem();
    return rows.map((row) => this.#reserved(row, queue, stem));
  }

  #reserved(row: ProfileRow, queue: string, stem: string): ReservedJob {
    const counts = !this.#countsOnReturn || row.reserved_at !== null;
    const stored = Math.min(Number(row.attempts) + (counts ? 1 : 0), mostAttempts);
    const token = `${stem}:${row.id}`;
    return {
      id: String(row.id),
      queue,
      body: row.payload,
      attempts: this.#countsOnReturn ? stored + 1 : stored,
      lease: { queue, token, handle: this.#marks.handleOf(row.id, stored) },
    };
  }

  async extend(connection: Connection, leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    const since = (await this.#seconds(connection)).sinceFor(leaseMs);
    try {
      const held = await this.#settle(connection, leases, this.#text.extend, () => [since], 'again');
      for (const [index, lease] of leases.entries()) if (held[index]) this.#marks.note(lease, since);
      return held;
    } catch (error) {
      // Whether it was done is open.
      for (const lease of leases) this.#marks.forget(lease);
      throw error;
    }
  }

  delete(connection: Connection, leases: readonly Lease[]): Promise<boolean[]> {
    return this.#settle(connection, leases, this.#text.delete);
  }

  async deleteWithin(connection: Connection, leases: readonly Lease[]): Promise<boolean[]> {
    const held: boolean[] = [];
    for (const lease of leases) held.push(await this.#settleOne(connection, lease, this.#text.delete, []));
    return held;
  }

  async release(connection: Connection, releases: readonly Release[]): Promise<boolean[]> {
    const seconds = await this.#seconds(connection);
    const leases = releases.map(({ lease }) => lease);
    return await this.#settle(connection, leases, this.#text.release, (index) => [
      seconds.after(releases[index]?.delayMs ?? 0),
    ]);
  }

  /**
   * The next delivery has the attempts of this one: it is a second later than asked at least, so that their times
   * differ.
   */
  async postpone(connection: Connection, releases: readonly Release[]): Promise<boolean[]> {
    const seconds = await this.#seconds(connection);
    const leases = releases.map(({ lease }) => lease);
    return await this.#settle(connection, leases, this.#text.postpone, (index) => [
      seconds.after(releases[index]?.delayMs ?? 0) + 1,
    ]);
  }

  async size(connection: Connection, queue: string): Promise<QueueSize> {
    const { now, lapsedBefore } = await this.#seconds(connection);
    type Counts = Readonly<Record<'ready' | 'reserved' | 'jobs', number | string | null>>;
    const bound = [now, lapsedBefore, lapsedBefore, queue];
    const [row] = await this.#sql.rows<Counts>(connection, this.#text.size, bound);
    const [ready = 0, reserved = 0, jobs = 0] = [row?.ready, row?.reserved, row?.jobs].map((count) =>
      Number(count ?? 0),
    );
    return { ready, delayed: jobs - ready - reserved, reserved };
  }

  async clear(connection: Connection, queue: string, withReserved: boolean): Promise<QueueSize> {
    const { now, lapsedBefore } = await this.#seconds(connection);
    const remove = async (text: string, bound: readonly SqlValue[]) =>
      await this.#sql.changed(connection, text, [queue, ...bound]);
    return await this.#sql.transaction(connection, async () => ({
      ready: await remove(this.#text.clearReady, [now, lapsedBefore]),
      delayed: await remove(this.#text.clearDelayed, [now]),
      reserved: withReserved ? await remove(this.#text.clearReserved, [lapsedBefore]) : 0,
    }));
  }

  /**
   * Settles those that are held, in the order of their rows, as two that settle at once must not wait in a circle.
   *
   * @param repeats `again` where a lease that stands twice is held both times.
   */
  async #settle(
    connection: Connection,
    leases: readonly Lease[],
    text: string,
    valuesOf: (index: number) => readonly SqlValue[] = () => [],
    repeats: 'once' | 'again' = 'once',
  ): Promise<boolean[]> {
    const byToken = new Map<string, boolean>();
    const order = [...leases.keys()].sort((a, b) => this.#rowOf(leases[a]) - this.#rowOf(leases[b]));
    const settleAll = async (): Promise<void> => {
      byToken.clear();
      for (const index of order) {
        const lease = leases[index] as Lease;
        if (byToken.has(lease.token)) continue;
        byToken.set(lease.token, await this.#settleOne(connection, lease, text, valuesOf(index)));
      }
    };
    await (leases.length > 1 ? this.#sql.transaction(connection, settleAll) : settleAll());
    return leases.map(({ token }) => {
      const held = byToken.get(token) === true;
      if (repeats === 'once') byToken.delete(token);
      return held;
    });
  }

  async #settleOne(
    connection: Connection,
    lease: Lease,
    text: string,
    values: readonly SqlValue[],
  ): Promise<boolean> {
    const { id, attempts, since } = this.#marks.of(lease);
    const [condition, time] = since === undefined ? [this.#text.held, []] : [this.#text.heldSince, [since]];
    const bound = [...values, id, attempts, ...time];
    return (await this.#sql.changed(connection, text + condition, bound)) > 0;
  }

  #rowOf(lease: Lease | undefined): number {
    return lease === undefined ? 0 : Number(this.#marks.of(lease).id);
  }

  async #seconds(connection: Connection): Promise<Seconds> {
    return new Seconds(await this.#sql.nowMs(connection), this.#retryAfterMs);
  }
}

/** Repeats the last one up to a count that is a power of two, so that there are few texts to prepare. */
function filledUp<T>(values: readonly T[]): T[] {
  const last = values.at(-1);
  if (last === undefined) return [];
  const count = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<T>(count - values.length).fill(last)];
}
