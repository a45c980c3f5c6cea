import type { ReservedJob } from './connector.js';
import { host } from './error-text.js';
import type { EndedJob } from './history-store.js';
import { timeOfJobId } from './job-id.js';
import { keptResult } from './job-result.js';
import { unreadable } from './payload.js';

/** What is kept of a job that ended now, but for the time. */
export function endedJob(
  { id, queue, attempts }: Pick<ReservedJob, 'id' | 'queue' | 'attempts'>,
  { job, dueAt }: { readonly job: string; readonly dueAt: number | undefined },
  { state, startedAtMs, result }: Pick<EndedJob, 'state' | 'startedAtMs'> & { readonly result: unknown },
): Omit<EndedJob, 'entryId' | 'finishedAtMs'> {
  return {
    jobId: id,
    queue,
    name: job === unreadable ? null : job,
    state,
    attempts,
    createdAtMs: timeOfJobId(id),
    dueAtMs: dueAt ?? null,
    startedAtMs,
    host,
    pid: process.pid,
    ...keptResult(result),
  };
}
