import type { ConnectionSettings } from './connector.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { type HistoryOptions, historyKept } from './history-settings.js';
import { checkQueueName } from './names.js';

/** What every driver's options accept beside its own. */
export interface ConnectionOptions {
  /** The queue used where none is named. Default `'default'`. */
  readonly queue?: string;
  /** How long a reserved job is kept from other workers unless the worker extends it. Default `'90s'`. */
  readonly lease?: Duration;
  /** think-queue's and Laravel's name for `lease`, in seconds. */
  readonly retry_after?: number;
  /**
   * Keeps ended jobs with their times and results, for `queue.list` and `queue:list`: `{ keep: 1000 }` the newest so
   * many, `{ keep: '7d' }` those of so long. Default: none are kept.
   */
  readonly history?: HistoryOptions;
}

/** The names of the options that all connections share, for {@link checkOptionNames}. */
export const connectionOptionNames = [
  'queue',
  'lease',
  'retry_after',
  'history',
] as const satisfies readonly (keyof ConnectionOptions)[];

/**
 * Checks the options that all connections share and turns them into the units of the code.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME`.
 */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  if (options.lease !== undefined && options.retry_after !== undefined) {
    throw new QueueError('E_CONFIG', 'lease and retry_after are two names of one setting', {
      fix: 'Keep lease and remove retry_after.',
    });
  }
  const leaseMs = durationToMs(options.lease ?? options.retry_after ?? '90s', 'lease');
  if (leaseMs < 100) {
    throw new QueueError('E_CONFIG', `lease: ${leaseMs} ms is too short to be extended in time`, {
      fix: 'Set the lease to 100 ms or more; 90s is the default.',
    });
  }
  return {
    queue: checkQueueName(options.queue ?? 'default'),
    leaseMs,
    ...(options.history !== undefined && { history: historyKept(options.history) }),
  };
}
