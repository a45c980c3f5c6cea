import type { Lease, NewJob, PushOutcome, QueueSize, Release, ReservedJob } from '../../../src/index.js';
import type { DeletedAndReserved, OwnJobTable, PushedAndTold } from './dialect.js';
import {
  arraysOf,
  changedBy,
  inPostgresTransaction,
  type PostgresConnection,
  readCommitted,
  rowsOf,
} from './postgres-connection.js';
import { type PostgresJobStatements, postgresJobStatements } from './postgres-job-statements.js';
import { waitingKey } from './postgres-news.js';
import { type TakenRow, takenJobs } from './postgres-taken-jobs.js';
import { answersFor, dueOf, isDueAtOnce, newTokenStem } from './reserved-job.js';

/** How many jobs a push stored, and which where that is not all. */
interface PushRow {
  readonly count: string;
  readonly ids: string | null;
}

/** And how many of those that wait were told. */
interface TellingRow extends PushRow {
  readonly told: string;
}

interface HeldRow {
  readonly lease_token: string;
}

/** Live jobs in a table of PostgreSQL. */
export class PostgresJobs implements OwnJobTable<PostgresConnection> {
  readonly #table: string;
  readonly #sql: PostgresJobStatements;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
    this.#sql = postgresJobStatements(table);
  }

  async push(connection: PostgresConnection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const [job] = jobs;
    if (job === undefined) return [];
    if (jobs.length === 1) {
      const stored = await changedBy(connection, this.#sql.pushOne, pushedOne(queue, job));
      return [stored === 1 ? 'stored' : 'already-there'];
    }
    const [row] = await rowsOf<PushRow>(connection, this.#sql.push, pushed(queue, jobs));
    return outcomesOf(jobs, row);
  }

  async pushTelling(
    connection: PostgresConnection,
    queue: string,
    jobs: readonly NewJob[],
  ): Promise<PushedAndTold> {
    const [job] = jobs;
    const key = waitingKey(this.#table, queue);
    const [row] =
      job !== undefined && jobs.length === 1
        ? await rowsOf<TellingRow>(connection, this.#sql.pushOneTelling, [...pushedOne(queue, job), key])
        : await rowsOf<TellingRow>(connection, this.#sql.pushTelling, [
            ...pushed(queue, jobs),
            key,
            jobs.length,
          ]);
    return { outcomes: outcomesOf(jobs, row), told: Number(row?.told ?? 0) };
  }

  /** One statement. */
  pushWithin(connection: PostgresConnection, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.push(connection, queue, jobs);
  }

  async reserve(
    connection: PostgresConnection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<ReservedJob[]> {
    if (!(limit >= 1)) return [];
    const stem = newTokenStem();
    const bound = [queues, mostOf(limit), Math.ceil(leaseMs), stem];
    const rows = await readCommitted(connection, () =>
      arraysOf<TakenRow>(connection, this.#sql.reserve, bound),
    );
    return takenJobs(rows, queues, stem);
  }

  async deleteAndReserve(
    connection: PostgresConnection,
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<DeletedAndReserved> {
    const stem = newTokenStem();
    const bound = [queues, mostOf(limit), Math.ceil(leaseMs), stem, ...idsAndTokens(leases)];
    const rows = await readCommitted(connection, () =>
      arraysOf<TakenRow>(connection, this.#sql.deleteAndReserve, bound),
    );
    const heldTokens = rows[0]?.[3];
    return {
      held: heldTokens == null ? leases.map(() => true) : answersFor(leases, heldTokens.split(' ')),
      jobs: takenJobs(rows, queues, stem),
    };
  }

  async extend(
    connection: PostgresConnection,
    leases: readonly Lease[],
    leaseMs: number,
  ): Promise<boolean[]> {
    const bound = [...idsAndTokens(leases), Math.ceil(leaseMs)];
    const rows = await rowsOf<HeldRow>(connection, this.#sql.extend, bound);
    const held = new Set(rows.map(({ lease_token }) => lease_token));
    return leases.map(({ token }) => held.has(token));
  }

  delete(connection: PostgresConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return settle(connection, this.#sql.delete, leases);
  }

  /** One statement. */
  deleteWithin(connection: PostgresConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return this.delete(connection, leases);
  }

  release(connection: PostgresConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, this.#sql.release, releases);
  }

  postpone(connection: PostgresConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, this.#sql.postpone, releases);
  }

  releaseThrown(connection: PostgresConnection, releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(connection, this.#sql.releaseThrown, releases);
  }

  #release(connection: PostgresConnection, sql: string, releases: readonly Release[]): Promise<boolean[]> {
    const leases = releases.map(({ lease }) => lease);
    return settle(connection, sql, leases, [releases.map(({ delayMs }) => Math.ceil(delayMs))]);
  }

  unreserve(connection: PostgresConnection, leases: readonly Lease[]): Promise<boolean[]> {
    return settle(connection, this.#sql.unreserve, leases);
  }

  async size(connection: PostgresConnection, queue: string): Promise<QueueSize> {
    const [row] = await rowsOf<{ ready: string; later: string; reserved: string }>(
      connection,
      this.#sql.size,
      [queue],
    );
    const [ready = 0, later = 0, reserved = 0] = [row?.ready, row?.later, row?.reserved].map(Number);
    return { ready, delayed: later - reserved, reserved };
  }

  async longestWaitMs(connection: PostgresConnection, queue: string): Promise<number | null> {
    const [row] = await rowsOf<{ ms: string | null }>(connection, this.#sql.longestWait, [queue]);
    return row?.ms == null ? null : Number(row.ms);
  }

  clear(connection: PostgresConnection, queue: string, withReserved: boolean): Promise<QueueSize> {
    return inPostgresTransaction(connection, async () => {
      const [row] = await rowsOf<{ now: string }>(connection, this.#sql.now, []);
      const bound = [queue, row?.now];
      return {
        ready: await changedBy(connection, this.#sql.clearReady, bound),
        delayed: await changedBy(connection, this.#sql.clearDelayed, bound),
        reserved: withReserved ? await changedBy(connection, this.#sql.clearReserved, bound) : 0,
      };
    });
  }
}

async function settle(
  connection: PostgresConnection,
  sql: string,
  leases: readonly Lease[],
  more: readonly unknown[] = [],
): Promise<boolean[]> {
  if (leases.length === 0) return [];
  const rows = await rowsOf<HeldRow>(connection, sql, [...idsAndTokens(leases), ...more]);
  return answersFor(
    leases,
    rows.map(({ lease_token }) => lease_token),
  );
}

/** What the statement of a push is given. */
function pushed(queue: string, jobs: readonly NewJob[]): unknown[] {
  const due = jobs.every(isDueAtOnce) ? [] : jobs.map(dueOf);
  return [
    queue,
    jobs.map(({ id }) => id),
    due.map(([at]) => at),
    due.map(([, delay]) => delay),
    ...afterSeparators(jobs.map(({ body }) => body)),
  ];
}

/** The same for one job. */
function pushedOne(queue: string, job: NewJob): unknown[] {
  const [dueAt = null, delay = null] = isDueAtOnce(job) ? [] : dueOf(job);
  return [queue, job.id, dueAt, delay, job.body];
}

function outcomesOf(jobs: readonly NewJob[], row: PushRow | undefined): PushOutcome[] {
  if (Number(row?.count) === jobs.length) return jobs.map(() => 'stored');
  // An id that stands twice is stored with the first.
  const stored = new Set<string>(JSON.parse(row?.ids ?? '[]'));
  return jobs.map(({ id }) => (stored.delete(id) ? 'stored' : 'already-there'));
}

/** The texts as one, each of them after a separator that stands in none, and that separator. */
function afterSeparators(texts: readonly string[]): [joined: string, separator: string] {
  let separator = '\x1f';
  while (texts.some((text) => text.includes(separator))) separator += '\x1e';
  return [`${separator}${texts.join(separator)}`, separator];
}

function idsAndTokens(leases: readonly Lease[]): [ids: (string | number)[], tokens: string[]] {
  return [leases.map(({ handle }) => handle), leases.map(({ token }) => token)];
}

/** A limit that the server takes for one. */
function mostOf(limit: number): number {
  return limit >= 1 ? Math.floor(Math.min(limit, 2 ** 31 - 1)) : 0;
}
