import type { Connector, QueueSize } from './connector.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import { checkQueueName } from './names.js';
import { shown } from './shown.js';

/** The jobs of a queue by state, at one look. */
export interface QueueReading extends QueueSize {
  readonly connection: string;
  readonly queue: string;
  /** How long the ready job that has been due longest has waited; absent where none is ready or the store cannot tell. */
  readonly longestWaitMs?: number;
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
  const readings = await Promise.all(names.map((queue) => read(from.connector, from.connection, queue)));
  return readings.map((reading) => {
    const busy = reading.ready > max;
    if (busy && events.isHeard('queue:busy')) events.emit({ event: 'queue:busy', ...reading, max });
    return { ...reading, busy };
  });
}

async function read(connector: Connector, connection: string, queue: string): Promise<QueueReading> {
  const [{ ready, delayed, reserved }, longestWaitMs = null] = await Promise.all([
    connector.size(queue),
    connector.longestWaitMs?.(queue),
  ]);
  return { connection, queue, ready, delayed, reserved, ...(longestWaitMs !== null && { longestWaitMs }) };
}
