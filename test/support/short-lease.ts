import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  defineJob,
  type JobContext,
  type JobSettings,
  type ReservedJob,
} from '../../src/index.js';
import { faulty } from './faulty-driver.js';
import type { ManualClock } from './manual-clock.js';
import { recordEvents, recordingLogger } from './recorder.js';

/** The lease of {@link setUp}'s store. */
export const leaseMs = 450;

/** A store with a short lease. With a clock, time for its leases passes only when told to. */
export function setUp(
  handle: (context: JobContext<unknown>) => unknown,
  clock?: ManualClock,
  settings: JobSettings = {},
) {
  const driver = faulty(memory({ lease: `${leaseMs}ms`, ...(clock && { clock }) }));
  const job = defineJob({ name: 'job', handle, ...settings });
  const logger = recordingLogger();
  const worker = { timeout: '100ms', grace: '100ms', tries: 5 } as const;
  const queue = createQueue({ connections: { default: driver }, jobs: [job], worker, logger });
  const takeAway = async (): Promise<ReservedJob> => {
    clock?.advance(leaseMs);
    const [taken] = await driver.store.reserve(['default'], 1, 90_000);
    return taken as ReservedJob;
  };
  return { driver, job, queue, logger, events: recordEvents(queue), takeAway };
}

/** The reason with which a signal aborts. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}
