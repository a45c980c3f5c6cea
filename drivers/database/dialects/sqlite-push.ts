import type { NewJob, PushOutcome } from '../../../src/index.js';
import { partsOf } from './lists.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';
import { jobsPerPush, type SqliteJobStatements } from './sqlite-job-statements.js';

/** The statements that store jobs. */
type PushStatements = Pick<SqliteJobStatements, 'push' | 'pushMany'>;

/**
 * Stores jobs inside a transaction, or one job. Many rows for a statement take two thirds of the time of one for each
 * row, but do not tell which ids were there already: where one was, its part is stored again one by one.
 */
export function storeJobs(
  connection: SqliteConnection,
  sql: PushStatements,
  queue: string,
  jobs: readonly NewJob[],
  nowMs: number,
): PushOutcome[] {
  const store = (statement: string, some: readonly NewJob[]): number =>
    prepared(connection, statement).run(valuesOf(some, nowMs), { queue, now: nowMs }).changes;
  const storeAll = (some: readonly NewJob[]): boolean =>
    allOrNone(connection, () => store(sql.pushMany, some) === some.length);
  const outcomes: PushOutcome[] = [];
  for (const part of partsOf(jobs, jobsPerPush)) {
    const isStored = part.length === jobsPerPush && storeAll(part);
    for (const job of part) {
      outcomes.push(isStored || store(sql.push, [job]) === 1 ? 'stored' : 'already-there');
    }
  }
  return outcomes;
}

/** Undoes what `work` has done where it answers false. What it throws undoes the transaction around it. */
function allOrNone(connection: SqliteConnection, work: () => boolean): boolean {
  prepared(connection, 'SAVEPOINT drover_push').run();
  const isWanted = work();
  if (!isWanted) prepared(connection, 'ROLLBACK TO drover_push').run();
  prepared(connection, 'RELEASE drover_push').run();
  return isWanted;
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
