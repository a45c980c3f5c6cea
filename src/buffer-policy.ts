import { isQueueError } from './errors.js';

/** What is to become of a job whose batch the store did not take. */
export type AfterBatch =
  /** Again with its batch, after a wait. */
  | { readonly action: 'retry'; readonly waitMs: number }
  /** Once more by itself: what the store refuses may be another job of the batch. */
  | { readonly action: 'alone' }
  | { readonly action: 'give-up' };

/**
 * Decides about one job of a batch that failed. Pure.
 *
 * An answer that was lost leaves open whether the batch was stored. Jobs whose ids somebody chose can be pushed again,
 * as the store finds them; others would be stored twice, and their pusher is told that nobody knows.
 *
 * @param about.tries how often this batch was sent, this time included.
 * @param about.leftMs how long it may still be tried.
 */
export function afterBatch(
  error: unknown,
  about: {
    readonly unique: boolean;
    readonly batchSize: number;
    readonly tries: number;
    readonly leftMs: number;
    readonly random: number;
  },
): AfterBatch {
  const { unique, batchSize, tries, leftMs, random } = about;
  const isTransient = isQueueError(error) && error.transient;
  const isOpen = isQueueError(error) && error.ambiguous;
  if (isOpen && !unique) return { action: 'give-up' };
  if (!isTransient) return batchSize > 1 && !isOpen ? { action: 'alone' } : { action: 'give-up' };
  const waitMs = Math.min(50 * 2 ** (tries - 1), 2000) * (0.8 + 0.4 * random);
  return waitMs > leftMs ? { action: 'give-up' } : { action: 'retry', waitMs };
}
