import { setTimeout as pause } from 'node:timers/promises';
import { isQueueError, monotonicMs } from '../../src/index.js';

/** The first wait before the next try; it doubles up to the longest. */
const shortestWaitMs = 20;
const longestWaitMs = 500;

/**
 * Makes a call, and where its answer was lost settles it by another one, which is tried again while the store is
 * away, for `settleMs` more at most.
 *
 * @param again knows how to be repeated; is told how long it may take.
 * @param unsettled makes the error for an outcome that stays open: whatever is said of a repeat tells nothing of
 * the call.
 */
export async function settled<T>(
  call: () => Promise<T>,
  again: (timeoutMs: number) => Promise<T>,
  settleMs: number,
  unsettled: (cause: unknown) => Error,
): Promise<T> {
  let lost: unknown;
  try {
    return await call();
  } catch (error) {
    if (!isQueueError(error) || !error.ambiguous) throw error;
    lost = error;
  }
  const until = monotonicMs() + settleMs;
  for (let waitMs = shortestWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const leftMs = Math.ceil(until - monotonicMs());
    if (leftMs <= 0) throw unsettled(lost);
    try {
      return await again(leftMs);
    } catch (error) {
      if (!isQueueError(error) || !error.transient) throw unsettled(error);
    }
    await pause(Math.min(waitMs, Math.max(0, until - monotonicMs())));
  }
}
