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
    attempts: row.attempts,
    reason: row.reason as FailedReason,
    host: row.host,
    pid: row.pid,
    failedAtMs: row.failed_at,
  };
}
