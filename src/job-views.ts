import { withoutCredentials } from './credentials.js';
import { partsOfClass } from './error-text.js';
import type { ErrorText, FailedJob, FailedReason } from './failed-jobs.js';
import type { EndedJob } from './history-store.js';
import { timeOfJobId } from './job-id.js';
import type { LiveJob } from './live-jobs.js';
import { shownPayload } from './object-job.js';
import type { WireFormat } from './wire-format.js';
import type { RunningJob, WorkerInfo } from './worker-info.js';

/** What a job is doing: `running` is reserved by a worker that says that it runs it. */
export type ListedState = 'ready' | 'delayed' | 'reserved' | 'running' | 'done' | 'failed';

/** A job as `queue.list` and `queue.find` show it. Times are ms since the epoch, null where nobody knows them. */
export interface ListedJob {
  /** Null for a job of another program that has none until it is reserved. */
  readonly id: string | null;
  /** The wire name, of an object job of PHP the object's class; null where the payload cannot be read. */
  readonly name: string | null;
  readonly connection: string;
  readonly queue: string;
  readonly state: ListedState;
  /** Deliveries so far, a present one included. */
  readonly attempts: number;
  /** How many of these are counted as ended by an error of the handler, for `maxExceptions`; null once it has ended. */
  readonly exceptions: number | null;
  /** When it was pushed. */
  readonly createdAtMs: number | null;
  /** When it is or was due. */
  readonly dueAtMs: number | null;
  /** When its present run began or was reserved, or its last run began. */
  readonly startedAtMs: number | null;
  /** When it was done, or was given up. */
  readonly finishedAtMs: number | null;
  /** When the lease of its present holder ends unless it is extended. */
  readonly leaseEndsAtMs: number | null;
  /** The worker that runs it, as it calls itself. */
  readonly worker: string | null;
  /** Where it ended. */
  readonly host: string | null;
  readonly pid: number | null;
  /** Why it was given up. */
  readonly reason: FailedReason | null;
  readonly error: (ErrorText & { readonly stack: string; readonly causes: readonly ErrorText[] }) | null;
  /** The uuid of its record among the failed jobs. */
  readonly uuid: string | null;
  /** What its handler returned, as JSON; null where that was nothing or is not kept. */
  readonly result: string | null;
  /** Why the result is not kept. */
  readonly note: string | null;
  /** The payload as it is stored; null where it is gone with the job. */
  readonly payload: string | null;
}

const nothing = {
  exceptions: null,
  createdAtMs: null,
  dueAtMs: null,
  startedAtMs: null,
  finishedAtMs: null,
  leaseEndsAtMs: null,
  worker: null,
  host: null,
  pid: null,
  reason: null,
  error: null,
  uuid: null,
  result: null,
  note: null,
  payload: null,
} as const;

/** A job in its queue. */
export function viewOfLive(
  job: LiveJob,
  connection: string,
  runs: ReadonlyMap<string, WorkerInfo>,
  wire: WireFormat,
): ListedJob {
  const decoded = wire.decode(job.body);
  const payload = 'payload' in decoded ? shownPayload(decoded.payload) : undefined;
  const worker =
    job.state === 'reserved' && job.id !== null ? runs.get(runKey(job.queue, job.id)) : undefined;
  return {
    ...nothing,
    id: job.id,
    name: payload?.job ?? null,
    connection,
    queue: job.queue,
    state: worker ? 'running' : job.state,
    attempts: job.attempts,
    exceptions: job.exceptions ?? 0,
    createdAtMs: job.createdAtMs ?? (job.id === null ? null : timeOfJobId(job.id)),
    dueAtMs: job.dueAtMs ?? payload?.dueAt ?? null,
    startedAtMs: job.reservedAtMs,
    leaseEndsAtMs: job.leaseEndsAtMs,
    worker: worker?.name ?? null,
    payload: job.body,
  };
}

/** An end that is on record in the history. */
export function viewOfEnded(ended: EndedJob, connection: string): ListedJob {
  const { entryId: _, jobId, ...rest } = ended;
  return { ...nothing, ...rest, id: jobId, connection };
}

/** A failed job. @param ended the same end in the history, which knows more of its times. */
export function viewOfFailed(job: FailedJob, ended: EndedJob | undefined, wire: WireFormat): ListedJob {
  const { class: name, code } = partsOfClass(job.errorClass);
  const decoded = wire.decode(job.payload);
  const dueAt = 'payload' in decoded ? decoded.payload.dueAt : undefined;
  return {
    ...nothing,
    id: job.jobId,
    name: job.name,
    connection: job.connection,
    queue: job.queue,
    state: 'failed',
    attempts: job.attempts,
    createdAtMs: ended?.createdAtMs ?? timeOfJobId(job.jobId),
    dueAtMs: ended?.dueAtMs ?? dueAt ?? null,
    startedAtMs: ended?.startedAtMs ?? null,
    finishedAtMs: job.failedAtMs,
    host: job.host,
    pid: job.pid,
    reason: job.reason,
    error: {
      class: name,
      message: withoutCredentials(job.message),
      ...((job.errorCode ?? code) !== undefined && { code: (job.errorCode ?? code) as string }),
      stack: withoutCredentials(job.stack),
      causes: job.causes,
    },
    uuid: job.uuid,
    payload: job.payload,
  };
}

/** Which worker says that it runs which job. */
export function runsOf(workers: readonly WorkerInfo[]): Map<string, WorkerInfo> {
  const entries = workers.flatMap((worker) =>
    worker.jobs.map(({ id, queue }: RunningJob): [string, WorkerInfo] => [runKey(queue, id), worker]),
  );
  return new Map(entries);
}

function runKey(queue: string, id: string): string {
  return `${queue} ${id}`;
}
