import type { ErrorText, FailedJob, FailedReason } from '../../../src/index.js';

/** A failed job as it stands in its table. */
export interface FailedJobRow {
  readonly uuid: string;
  readonly job_id: string;
  readonly connection: string;
  readonly queue: string;
  readonly name: string | null;
  readonly reason: string;
  readonly attempts: number;
  readonly failed_at: number;
  readonly host: string;
  readonly pid: number;
  readonly error_class: string;
  readonly message: string;
  readonly stack: string;
  readonly causes: string;
  readonly payload: string;
}

/** The columns, in their order in the table. */
export const columnNames = [
  'uuid',
  'job_id',
  'connection',
  'queue',
  'name',
  'reason',
  'attempts',
  'failed_at',
  'host',
  'pid',
  'error_class',
  'message',
  'stack',
  'causes',
  'payload',
] as const satisfies readonly (keyof FailedJobRow)[];

/** Of several records of one job the last, which replaces the others. */
export function lastOfEach(failures: readonly FailedJob[]): FailedJob[] {
  const byJob = new Map(
    failures.map((failure) => [JSON.stringify([failure.connection, failure.queue, failure.jobId]), failure]),
  );
  return [...byJob.values()];
}

/** The row that keeps a record. */
export function rowOf(failure: FailedJob): FailedJobRow {
  return {
    uuid: failure.uuid,
    job_id: failure.jobId,
    connection: failure.connection,
    queue: failure.queue,
    name: failure.name,
    reason: failure.reason,
    attempts: failure.attempts,
    failed_at: failure.failedAtMs,
    host: failure.host,
    pid: failure.pid,
    error_class: failure.errorClass,
    message: failure.message,
    stack: failure.stack,
    causes: JSON.stringify(failure.causes),
    payload: failure.payload,
  };
}

/** The record that a row keeps. */
export function failedJobOf(row: FailedJobRow): FailedJob {
  return {
    uuid: row.uuid,
    jobId: row.job_id,
    connection: row.connection,
    queue: row.queue,
    name: row.name,
    payload: row.payload,
    errorClass: row.error_class,
    message: row.message,
    stack: row.stack,
    causes: JSON.parse(row.causes) as ErrorText[],
    attempts: Number(row.attempts),
    reason: row.reason as FailedReason,
    host: row.host,
    pid: Number(row.pid),
    failedAtMs: Number(row.failed_at),
  };
}
