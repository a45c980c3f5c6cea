import { setTimeout as sleep } from 'node:timers/promises';
import { isQueueError } from './errors.js';
import { monotonicMs } from './monotonic.js';

/** How long to go on, and what cuts it short. */
export interface RetryingOptions {
  /** Give up, with the last error, when a new try would begin later than this. */
  readonly forMs: number;
  readonly signal?: AbortSignal;
  /** Told of each failure that is tried again. */
  onRetry?(error: unknown, waitMs: number): void;
}

/**
 * Repeats a harmlessly repeatable call while it fails with a transient `QueueError`, waiting 50 ms to 2 s
 * between tries, spread by ±20 % so that many workers do not come back at once.
 */
export async function retrying<T>(call: () => Promise<T>, options: RetryingOptions): Promise<T> {
  const until = monotonicMs() + options.forMs;
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const waitMs = Math.min(50 * 2 ** (tries - 1), 2000) * (0.8 + 0.4 * Math.random());
      const again = isQueueError(error) && error.transient && !options.signal?.aborted;
      if (!again || monotonicMs() + waitMs > until) throw error;
      options.onRetry?.(error, waitMs);
      // An abort ends the wait; the call is then made a last time.
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {});
    }
  }
}
