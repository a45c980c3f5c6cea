import type { NewJob, PushOutcome } from '../../../src/index.js';
import { isDueAtOnce } from './reserved-job.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';
import { jobsPerPush, type SqliteJobStatements } from './sqlite-job-statements.js';

/** The statements that store jobs. */
type PushStatements = Pick<SqliteJobStatements, 'push' | 'pushMany' | 'pushManyDue' | 'lastStored'>;

/**
 * Stores jobs inside a transaction, or one job. Many rows for a statement take two thirds of the time of one for each
 * row, but do not tell which ids were there already: where one was, what was stored is read back.
 */
export function storeJobs(
  connection: SqliteConnection,
  sql: PushStatements,
  queue: string,
  jobs: readonly NewJob[],
  nowMs: number,
): PushOutcome[] {
  const outcomes: PushOutcome[] = [];
  const inWholeParts = jobs.length - (jobs.length % jobsPerPush);
  for (let from = 0; from < inWholeParts; from += jobsPerPush) {
    storePart(connection, sql, queue, jobs.slice(from, from + jobsPerPush), nowMs, outcomes);
  }
  for (let at = inWholeParts; at < jobs.length; at++) {
    outcomes.push(storeJob(connection, sql, queue, jobs[at] as NewJob, nowMs));
  }
  return outcomes;
}

/** Stores one job. Its values are bound by place: a call that looks names up costs it more than one for many jobs. */
function storeJob(
  connection: SqliteConnection,
  sql: PushStatements,
  queue: string,
  job: NewJob,
  nowMs: number,
): PushOutcome {
  const dueAtMs = dueAtOf(job, nowMs);
  const { changes } = prepared(connection, sql.push).run(job.id, queue, dueAtMs, nowMs, dueAtMs, job.body);
  return changes === 1 ? 'stored' : 'already-there';
}

/** Stores as many jobs as a statement has rows for. */
function storePart(
  connection: SqliteConnection,
  sql: PushStatements,
  queue: string,
  part: readonly NewJob[],
  nowMs: number,
  outcomes: PushOutcome[],
): void {
  const areDue = part.every(isDueAtOnce);
  const statement = prepared(connection, areDue ? sql.pushManyDue : sql.pushMany);
  const values = areDue ? valuesOfDue(part) : valuesOf(part, nowMs);
  const { changes } = statement.run(values, { queue, now: nowMs });
  if (changes === part.length) {
    for (const _ of part) outcomes.push('stored');
    return;
  }
  const rows = prepared<{ job_id: string }>(connection, sql.lastStored).all({ changes });
  const stored = new Set(rows.map(({ job_id }) => job_id));
  // An id that stands twice is stored with the first.
  for (const { id } of part) outcomes.push(stored.delete(id) ? 'stored' : 'already-there');
}

/** Their id and body, one after the other. */
function valuesOfDue(jobs: readonly NewJob[]): unknown[] {
  const values: unknown[] = [];
  for (const { id, body } of jobs) values.push(id, body);
  return values;
}

/** Their id, twice when they are due, and body, one after the other. */
function valuesOf(jobs: readonly NewJob[], nowMs: number): unknown[] {
  const values: unknown[] = [];
  for (const job of jobs) {
    const dueAtMs = dueAtOf(job, nowMs);
    values.push(job.id, dueAtMs, dueAtMs, job.body);
  }
  return values;
}

/** When a job is due, never before it was pushed. */
function dueAtOf({ availableAtMs, delayMs = 0 }: NewJob, nowMs: number): number {
  return Math.max(nowMs, Math.ceil(availableAtMs ?? nowMs + delayMs));
}
