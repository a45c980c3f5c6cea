import { QueueError } from './errors.js';
import type { Job } from './job.js';
import type { RunEnd } from './retry-policy.js';
import { startTimer } from './timer.js';

/** Limits of one run. */
export interface RunLimits {
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** How long a handler may take to end after its signal aborted. */
  readonly graceMs: number;
  /** Told when a handler is aborted for its timeout. */
  onTimeout?(): void;
}

/** A {@link RunEnd}, and the handler's promise where it goes on in spite of the abort. */
export interface FireEnd extends RunEnd {
  readonly stillRunning?: Promise<void>;
}

/**
 * Runs a job's handler until it ends, or until it was aborted (timeout, lost lease, stopping worker) and
 * the grace has passed. Never rejects.
 */
export async function fire(job: Job, limits: RunLimits): Promise<FireEnd> {
  const run = job.fire().then(
    (): RunEnd => ({ returned: true }),
    (error: unknown): RunEnd => ({ returned: false, error }),
  );
  const stopTimer = timeOut(job, limits);
  try {
    const aborted = new Promise<'aborted'>((resolve) => job.onAbort(() => resolve('aborted')));
    const first = await Promise.race([run, aborted]);
    if (first !== 'aborted') return { ...first, abortedBy: job.abortReason };
    return await withinGrace(job, run, limits.graceMs);
  } finally {
    stopTimer();
  }
}

function timeOut(job: Job, { timeoutMs, onTimeout }: RunLimits): () => void {
  if (timeoutMs === 0) return () => {};
  return startTimer(timeoutMs, () => {
    if (job.abortReason === undefined) onTimeout?.();
    job.abort(new QueueError('E_TIMEOUT', `job ${job.name} (${job.id}) ran longer than ${timeoutMs} ms`));
  });
}

async function withinGrace(job: Job, run: Promise<RunEnd>, graceMs: number): Promise<FireEnd> {
  let stopTimer = () => {};
  const end = await Promise.race([
    run,
    new Promise<undefined>((resolve) => {
      stopTimer = startTimer(graceMs, () => resolve(undefined));
    }),
  ]);
  stopTimer();
  if (end) return { ...end, abortedBy: job.abortReason };
  return { returned: false, abortedBy: job.abortReason, stillRunning: run.then(() => {}) };
}
