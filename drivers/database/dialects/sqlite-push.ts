import type { NewJob, PushOutcome } from '../../../src/index.js';
import { partsOf } from './lists.js';
import { isDueAtOnce } from './reserved-job.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';
import { jobsPerPush, type SqliteJobStatements } from './sqlite-job-statements.js';

/** The statements that store jobs. */
type PushStatements = Pick<
  SqliteJobStatements,
  'push' | 'pushMany' | 'pushDue' | 'pushManyDue' | 'lastStored'
>;

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
  for (const part of partsOf(jobs, jobsPerPush)) {
    if (part.length === jobsPerPush) storePart(connection, sql, queue, part, nowMs, outcomes);
    else for (const job of part) storePart(connection, sql, queue, [job], nowMs, outcomes);
  }
  return outcomes;
}

/** Stores one job, or as many as a statement has rows for. */
function storePart(
  connection: SqliteConnection,
  sql: PushStatements,
  queue: string,
  part: readonly NewJob[],
  nowMs: number,
  outcomes: PushOutcome[],
): void {
  const areDue = part.every(isDueAtOnce);
  const [one, many] = areDue ? [sql.pushDue, sql.pushManyDue] : [sql.push, sql.pushMany];
  const values = areDue ? valuesOfDue(part) : valuesOf(part, nowMs);
  const statement = prepared(connection, part.length === 1 ? one : many);
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

/** Their id, twice when they are due, never before they were pushed, and body, one after the other. */
function valuesOf(jobs: readonly NewJob[], nowMs: number): unknown[] {
  const values: unknown[] = [];
  for (const { id, availableAtMs, delayMs = 0, body } of jobs) {
    const dueAtMs = Math.max(nowMs, Math.ceil(availableAtMs ?? nowMs + delayMs));
    values.push(id, dueAtMs, dueAtMs, body);
  }
  return values;
}
