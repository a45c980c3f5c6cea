import { describeError } from './error-text.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import type { Handler } from './registry.js';
import { startTimer } from './timer.js';

/**
 * Calls a job's `failed` hook, where it has one. The job is on record and gone by then: a hook that throws,
 * or runs longer than `limitMs`, is logged and changes nothing.
 */
export async function callFailedHook(
  handler: Handler | undefined,
  job: Job,
  data: unknown,
  error: unknown,
  limitMs: number,
  logger: Logger,
): Promise<void> {
  if (!handler?.failed) return;
  let stopTimer = () => {};
  const tooLong = new Promise<never>((_, reject) => {
    stopTimer = startTimer(limitMs, () => reject(new Error(`it ran longer than ${limitMs} ms`)));
  });
  try {
    await Promise.race([handler.failed(job, data, error), tooLong]);
  } catch (hookError) {
    logger.error({ ...job.fields, err: describeError(hookError) }, 'the failed hook of the job ended badly');
  } finally {
    stopTimer();
  }
}
