import type { AttemptContext } from './attempt-context.js';
import type { ReservedJob } from './connector.js';
import { classWithCode, describeError, host } from './error-text.js';
import type { FailedJob, FailedReason } from './failed-jobs.js';
import type { JobFields } from './logger.js';
import { randomUuid } from './random.js';
import type { NotedFailure } from './wire-format.js';

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

/** What a body is to note of a failure beside its message. */
export type Noted = Omit<NotedFailure, 'message'>;

/** The body with a failure noted in it, where its form notes them; undefined where it stays as it is. */
export function bodyNoting(
  body: string,
  error: unknown,
  noted: Noted,
  fields: JobFields,
  { wire, logger }: AttemptContext,
): string | undefined {
  if (!wire.noteFailure || error === undefined) return undefined;
  try {
    return wire.noteFailure(body, { ...noted, message: describeError(error).message });
  } catch (thrown) {
    logger.warn({ ...fields, err: thrown }, 'could not note the failure in the body of the job');
    return undefined;
  }
}
