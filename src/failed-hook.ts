import type { AttemptContext } from './attempt.js';
import { describeError } from './error-text.js';
import type { FailedReason } from './failed-jobs.js';
import type { Handling } from './handling.js';
import type { Job } from './job.js';
import type { JobFields, Logger } from './logger.js';
import { startTimer } from './timer.js';

/** How long a hook may take. */
export interface HookLimits {
  readonly limitMs: number;
  /** Aborts when a stopping worker waits no longer. */
  readonly patience: AbortSignal;
}

/**
 * Calls a hook about a failure and answers what it answers. One that throws, or takes too long, is logged and changes
 * nothing: the answer is then undefined.
 *
 * @param what names the hook in the log.
 */
export async function withinLimit(
  what: string,
  hook: () => unknown,
  fields: JobFields,
  limits: HookLimits,
  logger: Logger,
): Promise<unknown> {
  const limit = startLimit(limits);
  try {
    return await Promise.race([Promise.resolve().then(hook), limit.reached]);
  } catch (error) {
    logger.error({ ...fields, err: describeError(error) }, `${what} ended badly`);
    return undefined;
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

/** Calls the hooks of a job that was given up: its own first, then that of the config. Never rejects. */
export async function callHooks(
  job: Job,
  handling: Handling,
  { error, reason }: { readonly error: unknown; readonly reason: FailedReason },
  { defaults, logger, onFailed, settler }: AttemptContext,
): Promise<void> {
  const { handler } = handling;
  const limits = { limitMs: defaults.timeoutMs || 60_000, patience: settler.patience };
  const call = (what: string, hook: (data: unknown) => unknown) =>
    withinLimit(what, async () => hook(await handling.dataForHooks()), job.fields, limits, logger);
  if (handler?.failed) {
    await call('the failed hook of the job', (data) => handler.failed?.(job, data, error));
  }
  if (onFailed) await call('onFailed of the config', (data) => onFailed({ data, error, job, reason }));
}
