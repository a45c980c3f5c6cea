import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  defineJob,
  type JobContext,
  type JobSettings,
  type ReservedJob,
} from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { type ManualClock, manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';

const leaseMs = 450;

/** A store with a short lease. With a clock, time for its leases passes only when told to. */
function setUp(
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

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}

describe('a job whose timeout is longer than the lease', () => {
  test('has a lease of its own from its start on, whether or not it blocks the event loop', async () => {
    const clock = manualClock();
    const { queue, job, driver, events } = setUp(async () => {
      clock.advance(10_000 + 100 - 1);
      expect(await driver.store.reserve(['default'], 1, leaseMs)).toEqual([]);
    }, clock);
    await queue.push(job, null, { timeout: '10s' });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test('has it also when it starts while other leases are being extended', async () => {
    const clock = manualClock();
    const held = deferred();
    const { queue, job, driver, events } = setUp(async ({ data }) => {
      if (data === 'short') return held.promise;
      clock.advance(leaseMs + 1);
      const lapsed = await driver.store.reserve(['default'], 2, 90_000);
      held.resolve();
      expect(lapsed.map((job) => JSON.parse(job.body).data)).toEqual(['short']);
    }, clock);
    const slow = driver.faults.hold('extend');
    await queue.push(job, 'short', { timeout: 0 });
    const run = queue.worker({ maxJobs: 2, concurrency: 2 }).run();
    await slow.reached;
    const extended = driver.faults.called('extend');
    await queue.push(job, 'long', { timeout: '10s', tries: 1 });
    await Promise.race([extended, new Promise((resolve) => setTimeout(resolve, 50))]);
    slow.letGo();
    await within(run, 'the end');
    expect(namesOf(events)).toContain('job:done');
  });

  test('trusts in that lease only once the store has confirmed it', async () => {
    const { queue, job, driver, events } = setUp(async ({ signal }) => {
      // Two thirds of the lease that it really has; not of the ten seconds that it asked for.
      throw await within(aborted(signal), 'the abort', 2000);
    });
    driver.faults.away('extend');
    await queue.push(job, null, { timeout: '10s' });
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
  });

  test('is not started when its lease is lost by then', async () => {
    let runs = 0;
    const { queue, job, driver, takeAway } = setUp(() => runs++, manualClock());
    let taken: ReservedJob | undefined;
    driver.faults.next('extend', async (call) => {
      taken = await takeAway();
      return call();
    });
    await queue.push(job, null, { timeout: '10s' });
    await queue.worker({ once: true }).run();
    expect(runs).toBe(0);
    expect(await driver.store.delete([(taken as ReservedJob).lease])).toEqual([true]);
  });
});
