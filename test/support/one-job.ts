import { expect } from 'vitest';
import {
  createQueue,
  type Driver,
  defineJob,
  type JobContext,
  type JobEvent,
  type Queue,
  type WorkerOptions,
} from '../../src/index.js';
import { within } from './deferred.js';
import { recordEvents } from './recorder.js';
import { until } from './redis-refusals.js';

/** What {@link oneJob} makes. */
export interface OneJobOptions {
  /** The options of all workers. */
  readonly worker: WorkerOptions;
  /** Default: 2. */
  readonly tries?: number;
}

/** A queue with one job, which `handle` does, and what came of its jobs. */
export function oneJob(
  driver: Driver,
  handle: (context: JobContext<unknown>) => unknown,
  { worker, tries = 2 }: OneJobOptions,
) {
  const failures: unknown[] = [];
  const job = defineJob({
    name: 'job',
    tries,
    backoff: 0,
    handle,
    failed: (error) => void failures.push(error),
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job], worker });
  return { queue, job, events: recordEvents(queue), failures };
}

/** Runs a worker until there are as many events of jobs as there shall be, and it has stopped. */
export async function workUntil(
  queue: Queue,
  events: readonly JobEvent[],
  count: number,
  options: WorkerOptions = {},
): Promise<void> {
  const stop = new AbortController();
  const running = queue.worker(options).run(stop.signal);
  await within(
    until(() => events.length >= count),
    `event ${count}`,
    20_000,
  );
  stop.abort();
  expect(await running).toBe('signal');
}

/**
 * A handler whose first run waits, behind the fault that `begin` makes, until it is told why it was aborted; `reasons`
 * gets that.
 */
export function handlerInBlackHole(begin: () => void, reasons: unknown[]) {
  return async ({ signal, job }: JobContext<unknown>): Promise<void> => {
    if (job.attempts() > 1) return;
    begin();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    reasons.push(signal.reason);
    throw signal.reason;
  };
}
