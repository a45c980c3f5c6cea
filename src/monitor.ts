import type { Connector, QueueSize } from './connector.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import { checkQueueName } from './names.js';
import { shown } from './shown.js';

/** The jobs of a queue by state, at one look. */
export interface QueueReading extends QueueSize {
  readonly connection: string;
  readonly queue: string;
}

/** A {@link QueueReading}, held against a limit. */
export interface MonitoredQueue extends QueueReading {
  /** True where more jobs are ready than shall be. */
  readonly busy: boolean;
}

/** What to watch, and from when on it is too much. */
export interface MonitorOptions {
  /** Queues to look at. Default: the connection's own. */
  readonly queues?: readonly string[];
  /** How many ready jobs a queue may have. Delayed ones wait on purpose, and reserved ones are being run. */
  readonly max: number;
}

/**
 * Looks at queues once, and tells of each that has more than `max` ready jobs with the event `queue:busy`.
 *
 * @throws QueueError `E_CONFIG` or `E_QUEUE_NAME` for options that cannot be, or the store's error.
 */
export async function monitor(
  { queues, max }: MonitorOptions,
  from: { readonly connection: string; readonly ownQueue: string; readonly connector: Connector },
  events: QueueEvents,
): Promise<MonitoredQueue[]> {
  if (!(Number.isSafeInteger(max) && max >= 0)) {
    throw new QueueError('E_CONFIG', `max: ${shown(max)} is not a whole number from 0 up`);
  }
  const names = queues === undefined || queues.length === 0 ? [from.ownQueue] : queues.map(checkQueueName);
  const sizes = await Promise.all(names.map((queue) => from.connector.size(queue)));
  return sizes.map(({ ready, delayed, reserved }, index) => {
    const queue = names[index] as string;
    const reading = { connection: from.connection, queue, ready, delayed, reserved };
    const busy = ready > max;
    if (busy && events.isHeard('queue:busy')) events.emit({ event: 'queue:busy', ...reading, max });
    return { ...reading, busy };
  });
}
