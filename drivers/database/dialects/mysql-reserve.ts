import type { ReservedJob } from '../../../src/index.js';
import { changedBy, type MysqlConnection, padded, rowsOf } from './mysql-connection.js';
import type { MysqlJobStatements } from './mysql-job-statements.js';
import { isMariadb, versionOf } from './mysql-version.js';
import { newTokenStem, reservedJob } from './reserved-job.js';

/** A due job, as it was before it is taken. */
interface DueRow {
  readonly id: number | string;
  readonly job_id: string;
  readonly payload: string;
  readonly attempts: number;
  readonly exceptions: number;
  readonly available_at: number;
}

/** A job that was seen, and that others have locked or taken. */
interface Gone {
  readonly id: null;
}

/** The most jobs of one queue in one statement. */
const mostJobs = 1024;

/** Takes due jobs of the queues, the earlier queues first, inside a transaction unless {@link isOneTake}. */
export async function takeJobs(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queues: readonly string[],
  limit: number,
  leaseMs: number,
  canSkipLocked: boolean,
): Promise<ReservedJob[]> {
  const take = canSkipLocked ? takeLocked : takeSeen;
  const most = Math.min(mostJobs, Math.floor(limit));
  const taken: ReservedJob[] = [];
  for (const queue of queues) {
    if (taken.length >= most) break;
    taken.push(...(await take(connection, sql, queue, most - taken.length, Math.ceil(leaseMs))));
  }
  return taken;
}

/**
 * True where {@link takeJobs} takes jobs with one statement, which is a transaction by itself. Of several queues an error
 * at a later one must not leave jobs of an earlier one taken and unknown.
 */
export function isOneTake(queues: readonly string[], canSkipLocked: boolean): boolean {
  return !canSkipLocked && queues.length === 1;
}

async function takeLocked(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  limit: number,
  leaseMs: number,
): Promise<ReservedJob[]> {
  const due = await lockDue(connection, sql, queue, limit);
  if (due.length === 0) return [];
  const stem = newTokenStem();
  const ids = padded(due.map(({ id }) => id));
  await changedBy(connection, sql.takeLocked(ids.length), [leaseMs, stem, ...ids]);
  return due.map((row) => asReserved(row, queue, stem));
}

/**
 * Locks due jobs, the first ones first, and passes over those of others.
 *
 * What was taken or deleted lately stays at the head of the index until InnoDB purges it, by the hundred behind a
 * busy worker. A statement that locks takes and gives back a lock on each of these entries, one that only looks passes them
 * quickly. Where others were quicker there may be more behind what was seen.
 */
async function lockDue(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  limit: number,
): Promise<DueRow[]> {
  // MySQL's way with such a statement is not known.
  if (!isMariadb(await versionOf(connection))) {
    return await rowsOf<DueRow>(connection, sql.lockDue, [queue, limit]);
  }
  const seen = await rowsOf<DueRow | Gone>(connection, sql.lockSeen, [queue, limit, queue]);
  if (seen.every((row) => row.id !== null)) return seen.toSorted(byPlace);
  // Own locks are in nobody's own way.
  return await rowsOf<DueRow>(connection, sql.lockDue, [queue, limit]);
}

/** The order of the queue; what is joined comes in any. */
function byPlace(one: DueRow, other: DueRow): number {
  return one.available_at - other.available_at || Number(one.id) - Number(other.id);
}

/**
 * Without SKIP LOCKED: looks at the head of the queue without a lock, then takes what is still as it was seen. By
 * primary key in ascending order, as everything else locks, so two workers that see the same jobs wait for
 * each other and never deadlock; the later one looks again.
 */
async function takeSeen(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  limit: number,
  leaseMs: number,
): Promise<ReservedJob[]> {
  for (;;) {
    const due = await rowsOf<DueRow>(connection, sql.peekDue, [queue, limit]);
    if (due.length === 0) return [];
    const stem = newTokenStem();
    const all = padded(due);
    const taken = await changedBy(connection, sql.takeSeen(all.length), [
      leaseMs,
      stem,
      ...all.map(({ id }) => id),
      ...all.flatMap((row) => [row.id, row.available_at, row.attempts]),
    ]);
    if (taken === due.length) return due.map((row) => asReserved(row, queue, stem));
    if (taken > 0) return await onlyTaken(connection, sql, queue, due, stem);
  }
}

/** Of the jobs that were seen, those that now have our token. */
async function onlyTaken(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  due: readonly DueRow[],
  stem: string,
): Promise<ReservedJob[]> {
  const all = padded(due);
  const bound = [...all.map(({ id }) => id), ...all.map(({ id }) => `${stem}:${id}`)];
  const rows = await rowsOf<{ lease_token: string }>(connection, sql.withTokens(all.length), bound);
  const ours = new Set(rows.map(({ lease_token }) => lease_token));
  return due.map((row) => asReserved(row, queue, stem)).filter(({ lease }) => ours.has(lease.token));
}

function asReserved(row: DueRow, queue: string, stem: string): ReservedJob {
  const lease_token = `${stem}:${row.id}`;
  return reservedJob({ ...row, queue, attempts: Number(row.attempts) + 1, lease_token });
}
