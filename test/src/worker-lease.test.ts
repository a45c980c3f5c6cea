import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type ReservedJob } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, workOff } from '../support/recorder.js';
import { aborted, leaseMs, setUp } from '../support/short-lease.js';

// Time goes by only when nothing else is left to do: no lease is lost to a slow machine.
beforeEach(() => void vi.useFakeTimers().setTimerTickMode('nextTimerAsync'));
afterEach(() => void vi.useRealTimers());

describe('the lease of a running job', () => {
  test('is extended for as long as the job runs', async () => {
    let runs = 0;
    const { queue, job, driver, events } = setUp(async ({ signal }) => {
      runs += 1;
      // Four thirds of the lease.
      await within(driver.faults.called('extend', 4), 'the extending');
      expect(signal.aborted).toBe(false);
    });
    await queue.push(job, null, { timeout: 0 });
    const stop = new AbortController();
    const workers = [queue.worker().run(stop.signal), queue.worker().run(stop.signal)];
    await within(new Promise((resolve) => queue.events.on('job:done', resolve)), 'the end of the job');
    stop.abort();
    await Promise.all(workers);
    expect(runs).toBe(1);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test('is extended together with those of its neighbours, in one call', async () => {
    const { queue, job, driver } = setUp(() => driver.faults.called('extend', 2));
    await queue.bulk(job, [1, 2, 3, 4], { timeout: 0 });
    await workOff(queue, { concurrency: 4 });
    expect(driver.faults.calls('extend')).toBeLessThanOrEqual(3);
  });

  test('is no more extended once the job is settled', async () => {
    const { queue, job, driver } = setUp(() => {});
    await queue.push(job);
    const stop = new AbortController();
    const run = queue.worker().run(stop.signal);
    await driver.faults.called('delete');
    await new Promise((resolve) => setTimeout(resolve, leaseMs * 0.8));
    expect(driver.faults.calls('extend')).toBe(0);
    stop.abort();
    await run;
  });
});

describe('a lost lease', () => {
  test('aborts the handler, and nothing is settled: the second holder is not disturbed', async () => {
    let taken: ReservedJob | undefined;
    const { queue, job, events, driver, takeAway } = setUp(async ({ signal }) => {
      taken = await takeAway();
      const reason = await within(aborted(signal), 'the abort');
      expect(reason).toMatchObject({
        code: 'E_LEASE_LOST',
        message: expect.stringContaining('job job (mine)'),
      });
      throw reason;
    }, manualClock());
    await queue.push(job, null, { id: 'mine', timeout: 0 });
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    for (const verb of ['delete', 'release', 'fail', 'unreserve'] as const) {
      expect(driver.faults.calls(verb)).toBe(0);
    }
    expect(taken).toMatchObject({ id: 'mine', attempts: 2 });
    expect(await driver.store.delete([(taken as ReservedJob).lease])).toEqual([true]);
  });

  test('makes the delete of a handler that returns nevertheless change nothing', async () => {
    let taken: ReservedJob | undefined;
    const { queue, job, events, driver, takeAway } = setUp(async () => {
      taken = await takeAway();
    }, manualClock());
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect(await driver.store.delete([(taken as ReservedJob).lease])).toEqual([true]);
  });

  test('makes the release and the failing of a handler that throws change nothing', async () => {
    for (const tries of [1, 2]) {
      let taken: ReservedJob | undefined;
      const { queue, job, events, driver, takeAway } = setUp(async () => {
        taken = await takeAway();
        throw new Error('boom');
      }, manualClock());
      await queue.push(job, null, { tries });
      await queue.worker({ once: true }).run();
      expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
      expect(await queue.failed.list()).toEqual([]);
      expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 1 });
      expect(await driver.store.delete([(taken as ReservedJob).lease])).toEqual([true]);
    }
  });

  test('of a handler that ignores it holds the slot, and settles nothing', async () => {
    const { queue, job, events, driver, takeAway } = setUp(async () => {
      await takeAway();
      return new Promise(() => {});
    }, manualClock());
    await queue.push(job, null, { timeout: 0 });
    expect(await within(queue.worker({ grace: '10ms' }).run(), 'the stop')).toBe('stuck');
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect(driver.faults.calls('delete') + driver.faults.calls('release')).toBe(0);
  });

  test('is assumed before it lapses, when the store does not answer', async () => {
    const reason = deferred<unknown>();
    const { queue, job, events, driver } = setUp(async ({ signal }) => {
      const startedMs = performance.now();
      reason.resolve(await within(aborted(signal), 'the abort'));
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual((leaseMs * 2) / 3 - 10);
      throw signal.reason;
    });
    driver.faults.away('extend');
    await queue.push(job, null, { timeout: 0 });
    await queue.worker({ once: true }).run();
    expect(await reason.promise).toMatchObject({ code: 'E_LEASE_LOST' });
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect((await queue.size()).reserved + (await queue.size()).ready).toBe(1);
  });

  test('is also assumed when the store hangs', async () => {
    const { queue, job, events, driver } = setUp(async ({ signal }) => {
      throw await within(aborted(signal), 'the abort');
    });
    const hanging = driver.faults.hold('extend');
    await queue.push(job, null, { timeout: 0 });
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    hanging.letGo();
  });

  test('is not assumed for one call that did not come through', async () => {
    // Which of the calls it is makes no difference.
    for (const broken of [1, 2, 3]) {
      const { queue, job, events, driver } = setUp(async ({ signal }) => {
        await within(driver.faults.called('extend', 5), 'the extending', 2000).catch(() => {});
        expect(signal.aborted).toBe(false);
      });
      for (let call = 1; call < broken; call++) driver.faults.next('extend', (pass) => pass());
      driver.faults.refuse('extend');
      await queue.push(job, null, { timeout: 0 });
      await queue.worker({ once: true }).run();
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    }
  });
});

test('a failed hook that takes its time is not told that the lease was lost', async () => {
  const outcome = deferred<boolean>();
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      throw new Error('boom');
    },
    async failed({ job }) {
      await Promise.race([aborted(job.signal), new Promise((resolve) => setTimeout(resolve, leaseMs * 0.8))]);
      outcome.resolve(job.signal.aborted);
    },
  });
  const queue = createQueue({ connections: { default: memory({ lease: `${leaseMs}ms` }) }, jobs: [job] });
  await queue.push(job);
  await workOff(queue, { timeout: 0 });
  expect(await outcome.promise).toBe(false);
});

describe('a job that its handler has settled', () => {
  test.each(['delete', 'release', 'fail'] as const)(
    'by %s is not lost while the handler goes on',
    async (verb) => {
      const outcome = deferred<boolean>();
      const { queue, job, events } = setUp(async ({ job, signal }) => {
        await (verb === 'release' ? job.release(60) : job[verb]());
        // Work that needs no lease any more, over two extensions.
        await Promise.race([aborted(signal), new Promise((resolve) => setTimeout(resolve, leaseMs * 0.8))]);
        outcome.resolve(signal.aborted);
      });
      await queue.push(job, null, { timeout: 0 });
      await workOff(queue);
      expect(await outcome.promise).toBe(false);
      expect(namesOf(events)).toEqual([
        'job:started',
        { delete: 'job:done', release: 'job:released', fail: 'job:failed' }[verb],
      ]);
    },
  );
});
