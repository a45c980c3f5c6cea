import type { ReservedJob } from './connector.js';
import { classWithCode, describeError, host } from './error-text.js';
import type { FailedJob, FailedReason } from './failed-jobs.js';
import { randomUuid } from './random.js';

/**
 * The record of a job that is given up now.
 *
 * @param about.pid of the process that ran it. Default: this one.
 */
export function failureRecord(
  reserved: ReservedJob,
  about: {
    connection: string;
    name: string | null;
    reason: FailedReason;
    error: unknown;
    nowMs: number;
    pid?: number | undefined;
  },
): FailedJob {
  const text = describeError(about.error);
  return {
    uuid: randomUuid(),
    jobId: reserved.id,
    connection: about.connection,
    queue: reserved.queue,
    name: about.name,
    payload: reserved.body,
    errorClass: classWithCode(text),
    message: text.message,
    stack: text.stack,
    causes: text.causes,
    attempts: reserved.attempts,
    reason: about.reason,
    host,
    pid: about.pid ?? process.pid,
    failedAtMs: about.nowMs,
  };
}
