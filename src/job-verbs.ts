import type { QueueError } from './errors.js';

/**
 * What became of a job in this attempt; `open` until a settling verb was called. `deleted-in` is a transaction of the
 * application, which may commit or not.
 */
export type JobState = 'open' | 'deleted' | 'deleted-in' | 'released' | 'failed' | 'lost' | 'closed';

/** How a job's verbs reach its store. Each answers false where the lease was lost. */
export interface JobVerbs {
  delete(): Promise<boolean>;
  deleteIn(transaction: object): Promise<boolean>;
  release(delayMs: number): Promise<boolean>;
  fail(error: unknown): Promise<boolean>;
  /** Calls the handler and answers what it returns. */
  run(): unknown;
  /** Told of a verb that came too late: a handler that does not await it would never know. */
  misused(error: QueueError): void;
}
