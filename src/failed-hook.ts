import { describeError } from './error-text.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import type { Handler } from './registry.js';
import { startTimer } from './timer.js';

/** How long a hook may take. */
export interface HookLimits {
  readonly limitMs: number;
  /** Aborts when a stopping worker waits no longer. */
  readonly patience: AbortSignal;
}

/**
 * Calls a job's `failed` hook, where it has one. The job is on record and gone by then: a hook that throws,
 * or takes too long, is logged and changes nothing.
 */
export async function callFailedHook(
  handler: Handler | undefined,
  job: Job,
  data: () => Promise<unknown>,
  error: unknown,
  limits: HookLimits,
  logger: Logger,
): Promise<void> {
  if (!handler?.failed) return;
  const limit = startLimit(limits);
  try {
    const hook = data().then((checked) => handler.failed?.(job, checked, error));
    await Promise.race([hook, limit.reached]);
  } catch (hookError) {
    logger.error({ ...job.fields, err: describeError(hookError) }, 'the failed hook of the job ended badly');
  } finally {
    limit.end();
  }
}

/** A promise that rejects when the limit is reached, until it is ended. */
function startLimit({ limitMs, patience }: HookLimits): { reached: Promise<never>; end(): void } {
  let end = () => {};
  const reached = new Promise<never>((_, reject) => {
    const stopTimer = startTimer(limitMs, () => reject(new Error(`it ran longer than ${limitMs} ms`)));
    const onAbort = () => reject(new Error('it went on when the worker stopped'));
    patience.addEventListener('abort', onAbort, { once: true });
    if (patience.aborted) onAbort();
    end = () => {
      stopTimer();
      patience.removeEventListener('abort', onAbort);
    };
  });
  return { reached, end };
}
