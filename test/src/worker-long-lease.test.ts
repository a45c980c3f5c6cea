import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ReservedJob } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, workOff } from '../support/recorder.js';
import { aborted, leaseMs, setUp } from '../support/short-lease.js';

// Time goes by only when nothing else is left to do: no lease is lost to a slow machine.
beforeEach(() => void vi.useFakeTimers().setTimerTickMode('nextTimerAsync'));
afterEach(() => void vi.useRealTimers());

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
