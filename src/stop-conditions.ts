/**
 * Why a worker stopped:
 * `signal` asked to by the caller, `once` one job done, `empty` nothing left to do, `max-jobs`, `max-time`,
 * `memory` a limit was reached, `restart` the restart signal changed, `stuck` every slot is held by a
 * handler that goes on in spite of its abort, `outage` the store was away for longer than `maxOutage`.
 */
export type StopReason =
  | 'signal'
  | 'once'
  | 'empty'
  | 'max-jobs'
  | 'max-time'
  | 'memory'
  | 'restart'
  | 'stuck'
  | 'outage';

/** Whether nobody waits for the worker to end: what it has begun may take the time that it needs. Pure. */
export function endsAtLeisure(reason: StopReason): boolean {
  return reason === 'once' || reason === 'max-jobs' || reason === 'empty';
}

/** When a worker stops by itself. */
export interface StopLimits {
  /** Stop after one job, or when there is none. */
  readonly once: boolean;
  /** 0: no limit. */
  readonly maxJobs: number;
  /** 0: no limit. */
  readonly maxTimeMs: number;
  /** Resident set of the process in MiB; 0: no limit. */
  readonly memoryMiB: number;
}

/** What a worker has done and is. */
export interface WorkerState {
  readonly started: number;
  /** How often it has looked for jobs. */
  readonly looks: number;
  readonly runningMs: number;
  readonly rssMiB: number;
  /** Slots held by handlers that did not end after their abort. */
  readonly stuck: number;
  readonly concurrency: number;
}

/** Why to reserve no more, or null to go on. Pure. */
export function stopReason(limits: StopLimits, state: WorkerState): StopReason | null {
  if (state.stuck >= state.concurrency) return 'stuck';
  if (limits.once && state.started >= 1) return 'once';
  if (limits.maxJobs > 0 && state.started >= limits.maxJobs) return 'max-jobs';
  if (limits.maxTimeMs > 0 && state.runningMs >= limits.maxTimeMs) return 'max-time';
  // Not before the first look for jobs: a limit below what the process starts with would let it do nothing.
  if (limits.memoryMiB > 0 && state.looks > 0 && state.rssMiB > limits.memoryMiB) return 'memory';
  return null;
}

/** How many jobs may still be reserved before `once` or `maxJobs` is reached. Pure. */
export function jobsLeft(limits: StopLimits, started: number): number {
  const most = limits.once ? 1 : limits.maxJobs > 0 ? limits.maxJobs : Number.POSITIVE_INFINITY;
  return Math.max(0, most - started);
}
