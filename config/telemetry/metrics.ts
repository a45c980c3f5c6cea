import type * as PromClient from 'prom-client';
import { type Duration, durationToMs, type Queue } from '../../src/index.js';
import { EventCounts } from './event-counts.js';
import { loadPackage } from './load-package.js';
import { metersOf } from './meters.js';
import { StoreLook } from './store-look.js';

/** What {@link queueMetrics} can be told. */
export interface QueueMetricsOptions {
  /** Where the metrics are registered. Default: a registry of its own. */
  readonly register?: PromClient.Registry;
  /** Queues whose jobs are counted at each scrape. Default: the connection's own. */
  readonly queues?: readonly string[];
  /** How long a scrape waits for the store; what the store says is left out then. Default `'1s'`. */
  readonly timeout?: Duration;
}

/** The metrics of one connection. */
export interface QueueMetrics {
  /** `await register.metrics()` is the text to answer a scrape with, `register.contentType` its type. */
  readonly register: PromClient.Registry;
  /** Why the store cannot be said to answer; undefined where it did within the last five seconds, or does when asked. */
  storeProblem(): Promise<string | undefined>;
  /** Counts and reads no more; what was counted stays in the registry. */
  stop(): void;
}

/** An answer that is so old still says that the store is there. */
const lateEnoughMs = 5000;

/**
 * Registers metrics of a connection with prom-client: what happens to jobs in this process is counted from now on, and
 * how many jobs and workers there are is read from the store at each scrape. Call it once for each connection; several
 * may share a registry.
 *
 * @throws QueueError `E_DRIVER_MISSING` where prom-client is not installed, `E_DURATION`.
 */
export function queueMetrics(queue: Queue, options: QueueMetricsOptions = {}): QueueMetrics {
  const client = loadPackage<typeof PromClient>('prom-client', 15, 'metrics');
  const { register = new client.Registry(), queues = [], timeout = '1s' } = options;
  const meters = metersOf(client, register);
  const look = new StoreLook(queue, { queues, timeoutMs: durationToMs(timeout, 'timeout') });
  const forget = meters.watch(look);
  const counts = new EventCounts(meters, (name) => queue.hasJob(name));
  const off = queue.events.on('*', (event) => {
    if (event.connection === queue.connectionName) counts.count(event);
  });
  const stop = () => {
    off();
    forget();
  };
  return { register, storeProblem: () => look.problem(lateEnoughMs), stop };
}
