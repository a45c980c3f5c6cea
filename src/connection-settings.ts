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
 * Refuses options that a driver does not know: a mistyped `lease` would otherwise leave the default in force.
 *
 * @param owner names the driver's function in the error.
 * @throws QueueError `E_CONFIG` naming the unknown options, the known ones, and what was probably meant.
 */
export function checkOptionNames(options: object, known: readonly string[], owner: string): void {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const meant = new Set(unknown.flatMap((name) => known.filter((other) => isNear(name, other))));
  const hints = [...meant].map((name) => (name === 'retry_after' ? 'retry_after (lease, in seconds)' : name));
  const question = hints.length === 0 ? '' : `Did you mean ${hints.join(', ')}? `;
  throw new QueueError('E_CONFIG', `${unknown.join(', ')}: no such option of ${owner}()`, {
    fix: `${question}It knows ${known.join(', ')}.`,
  });
}

/** True for words that are one slip apart: a letter too many, too few, wrong or swapped, or other separators. */
function isNear(word: string, other: string): boolean {
  const [one, two] = [word, other].map((name) => {
    const letters = name.toLowerCase().replace(/[_-]/g, '');
    return [letters, ...Array.from(letters, (_, at) => letters.slice(0, at) + letters.slice(at + 1))];
  });
  return one?.some((letters) => two?.includes(letters)) ?? false;
}

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
