import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryConnector } from '../../drivers/memory/connector.js';
import { memory } from '../../drivers/memory/index.js';
import {
  type Connector,
  createQueue,
  type DriverContext,
  defineJob,
  type JobContext,
  type Queue,
} from '../../src/index.js';
import { Prefetch } from '../../src/prefetch.js';
import { deferred, within } from '../support/deferred.js';
import { delegateTo } from '../support/delegate.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

describe('how many jobs are reserved ahead', () => {
  test('none before a job has shown how long it takes', () => {
    expect(new Prefetch(100, 10).ahead).toBe(0);
  });

  test.each([
    ['quick ones as many as allowed', 0.05, 1, 100],
    ['as many as 40 ms of work', 4, 1, 10],
    ['for each slot', 4, 5, 50],
    ['slow ones none', 41, 1, 0],
  ])('%s', (_, durationMs, concurrency, ahead) => {
    const prefetch = new Prefetch(100, concurrency);
    prefetch.ran(durationMs);
    expect(prefetch.ahead).toBe(ahead);
  });

  test('a slow job is believed at once, quick ones by and by', () => {
    const prefetch = new Prefetch(100, 1);
    for (let job = 0; job < 10; job++) prefetch.ran(0.1);
    prefetch.ran(1000);
    expect(prefetch.ahead).toBe(0);
    for (let job = 0; job < 20; job++) prefetch.ran(0.1);
    expect(prefetch.ahead).toBe(0);
    for (let job = 0; job < 100; job++) prefetch.ran(0.1);
    expect(prefetch.ahead).toBe(100);
  });

  test('none once they were held in vain, until a slot is free again', () => {
    const prefetch = new Prefetch(100, 4);
    prefetch.ran(4);
    prefetch.heldInVain();
    expect(prefetch.ahead).toBe(0);
    prefetch.ran(4);
    expect(prefetch.ahead).toBe(40);
  });

  test.each([
    ['a megabyte', 2 ** 20, 4],
    ['five megabytes', 5 * 2 ** 20, 0],
    ['no text at all', 0, 100],
  ])('no more than 4 MB of payloads: those of %s', (_, length, ahead) => {
    const prefetch = new Prefetch(100, 10);
    prefetch.ran(0.05);
    prefetch.brought([came(length), came(length)]);
    expect(prefetch.ahead).toBe(ahead);
  });

  test('by the payloads that came last, of whatever lengths', () => {
    const prefetch = new Prefetch(100, 10);
    prefetch.ran(0.05);
    prefetch.brought([came(2 ** 20)]);
    prefetch.brought([came(2 ** 18), came(0)]);
    expect(prefetch.ahead).toBe(32);
  });

  test('none where the limit is 0', () => {
    const prefetch = new Prefetch(0, 10);
    prefetch.ran(0.01);
    expect(prefetch.ahead).toBe(0);
  });
});

function came(length: number) {
  return { reserved: { body: 'x'.repeat(length) } };
}

/** By this clock all jobs are quick, however slow the machine. */
const stopClock = () => void vi.useFakeTimers({ toFake: ['hrtime'] });
const startClock = () => void vi.useRealTimers();
afterEach(startClock);

describe('how many at most', () => {
  beforeEach(stopClock);

  test.each([
    ['a hundred', {}, {}, 100],
    ['as many as the store says', { prefetch: 30 }, {}, 30],
    ['as many as the worker says', { prefetch: 30 }, { prefetch: 50 }, 50],
    ['none where the worker wants none', { prefetch: 30 }, { prefetch: 0 }, 0],
  ])('%s', async (_, ofStore, ofWorker, most) => {
    let largest = 0;
    const driver = {
      ...memory(),
      connect: (context: DriverContext) => {
        const connector = delegateTo(new MemoryConnector(context.clock));
        const reserve: Connector['reserve'] = (queues, limit, leaseMs) => {
          largest = Math.max(largest, limit);
          return connector.reserve(queues, limit, leaseMs);
        };
        return { ...connector, ...ofStore, reserve };
      },
    };
    const job = defineJob({ name: 'job', handle: () => {} });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    await queue.bulk(job, quick(1000));
    await queue.worker({ ...ofWorker, concurrency: 50, stopWhenEmpty: true, sleep: 0 }).run();
    expect(largest).toBe(most + 50);
    await queue.close();
  });
});

function setUp(handle: (context: JobContext<string>) => unknown, without: 'unreserve'[] = []) {
  const driver = faulty(memory({ clock: manualClock() }), without);
  const job = defineJob({ name: 'job', handle });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  return { driver, job, queue };
}

const quick = (count: number) => Array.from({ length: count }, (_, index) => `quick ${index}`);

/**
 * Enough quick jobs to let a worker reserve ahead, then a slow one in the midst of other quick ones. The clock stands until
 * that one starts it.
 */
async function fill(queue: Queue): Promise<string[]> {
  stopClock();
  const data = [...quick(200), 'slow', ...quick(30).map((one) => `later ${one}`)];
  await queue.bulk('job', data);
  return data;
}

test('jobs that wait behind a slow one go to another worker, with no attempt spent', async () => {
  const slow = deferred();
  const slowStarted = deferred();
  const ran: string[] = [];
  const attempts = new Set<number>();
  const { queue, driver } = setUp(async ({ data, job }) => {
    attempts.add(job.attempts());
    if (data === 'slow') {
      startClock();
      slowStarted.resolve();
      await slow.promise;
    }
    ran.push(data);
  });
  const data = [...(await fill(queue)), 'new'];
  const stop = new AbortController();
  const first = queue.worker().run(stop.signal);
  await within(slowStarted.promise, 'the slow job');
  const { reserved } = await queue.size();
  expect(reserved).toBeGreaterThan(1);
  await within(driver.faults.called('unreserve'), 'the jobs that go back');
  await queue.push('job', 'new'); // the first one sees it come, and leaves it
  await within(workOff(queue), 'the other worker');
  expect([...ran].sort()).toEqual(data.filter((one) => one !== 'slow').sort());
  slow.resolve();
  stop.abort();
  await first;
  expect([ran.length, [...attempts]]).toEqual([data.length, [1]]);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('a worker waits for no jobs while it gives back what it held in vain', async () => {
  const slow = deferred();
  const waited = deferred();
  const wentBack = deferred();
  let isSlow = false;
  let waits = 0;
  let waitsThen: number | undefined;
  const driver = {
    ...memory(),
    connect: (context: DriverContext) => {
      const connector = delegateTo(new MemoryConnector(context.clock));
      const waitForJob: typeof connector.waitForJob = async (...how): Promise<void> => {
        waits += 1;
        if (isSlow) waited.resolve();
        await connector.waitForJob(...how);
        waits -= 1;
      };
      const unreserve: typeof connector.unreserve = (leases) => {
        waitsThen = waits;
        wentBack.resolve();
        return connector.unreserve(leases);
      };
      return { ...connector, waitForJob, unreserve };
    },
  };
  const job = defineJob<string>({
    name: 'job',
    handle: async ({ data }) => {
      if (data !== 'slow') return;
      startClock();
      isSlow = true;
      await slow.promise;
    },
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  await fill(queue);
  const stop = new AbortController();
  const run = queue.worker().run(stop.signal);
  await within(waited.promise, 'the wait beside the slow job');
  await within(wentBack.promise, 'the jobs that go back');
  expect(waitsThen).toBe(0);
  slow.resolve();
  stop.abort();
  await run;
  await queue.close();
});

test('nothing overtakes jobs that are on their way back', async () => {
  const slow = deferred();
  const slowStarted = deferred();
  const lastRan = deferred();
  const ran: string[] = [];
  const { queue, driver } = setUp(async ({ data }) => {
    if (data === 'slow') {
      startClock();
      slowStarted.resolve();
      await slow.promise;
    }
    ran.push(data);
    if (data === 'new') lastRan.resolve();
  });
  const way = driver.faults.hold('unreserve');
  const data = [...(await fill(queue)), 'new'];
  const stop = new AbortController();
  const run = queue.worker().run(stop.signal);
  await within(slowStarted.promise, 'the slow job');
  await within(way.reached, 'the jobs that go back');
  await queue.push('job', 'new');
  const deleted = driver.faults.called('delete');
  slow.resolve();
  await within(deleted, 'the end of the slow job');
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate); // for a reserve that does not wait
  way.letGo();
  await within(lastRan.promise, 'the last job');
  stop.abort();
  await run;
  expect(ran).toEqual(data);
});

test('jobs that were held in vain go back once a reserve under way has failed, before the wait that follows', async () => {
  const slow = deferred();
  const asked = deferred();
  const failure = deferred();
  const { queue, driver } = setUp(async ({ data }) => {
    if (data !== 'slow') return;
    driver.faults.next('reserve', async () => {
      asked.resolve();
      await failure.promise;
      throw storeAway();
    });
    await queue.push('job', 'new'); // who waits is woken
    await slow.promise;
  });
  await queue.bulk('job', [...quick(200), 'slow', 'held 1', 'held 2']);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
  const stop = new AbortController();
  const run = queue.worker().run(stop.signal);
  await asked.promise;
  vi.advanceTimersByTime(1000); // longer than any is held
  failure.resolve();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(await queue.size()).toEqual({ ready: 3, delayed: 0, reserved: 1 });
  slow.resolve();
  stop.abort();
  await run;
});

test('a worker that stops gives back what it has not started', async () => {
  const slow = deferred();
  const slowStarted = deferred();
  const { queue, driver } = setUp(async ({ data }) => {
    if (data !== 'slow') return;
    startClock();
    slowStarted.resolve();
    await slow.promise;
  });
  await fill(queue);
  const stop = new AbortController();
  const run = queue.worker().run(stop.signal);
  await within(slowStarted.promise, 'the slow job');
  stop.abort();
  slow.resolve();
  await run;
  expect(await queue.size()).toEqual({ ready: 30, delayed: 0, reserved: 0 });
  const left = await driver.store.reserve(['default'], 100, 1000);
  expect(new Set(left.map(({ attempts }) => attempts))).toEqual(new Set([1]));
});

test('of many quick jobs a worker that may run so many runs no more, and keeps none', async () => {
  let ran = 0;
  const { queue } = setUp(() => {
    ran += 1;
  });
  await queue.bulk('job', quick(300));
  expect(await queue.worker({ maxJobs: 250 }).run()).toBe('max-jobs');
  expect(ran).toBe(250);
  expect(await queue.size()).toEqual({ ready: 50, delayed: 0, reserved: 0 });
});

test('quick jobs share trips to the store', async () => {
  const { queue, driver } = setUp(() => {});
  await queue.bulk('job', quick(1000));
  await workOff(queue);
  expect(driver.faults.calls('reserve')).toBeLessThan(100);
  expect(driver.faults.calls('delete')).toBeLessThan(100);
});

test.each([
  ['with prefetch: 0', { prefetch: 0 }, []],
  ['of several queues', { queues: ['default', 'other'] }, []],
  ['whose store cannot take jobs back unspent', {}, ['unreserve' as const]],
])('a worker %s reserves no more than it can run', async (_, options, without: 'unreserve'[]) => {
  let most = 0;
  const { queue } = setUp(async () => {
    most = Math.max(most, (await queue.size()).reserved);
  }, without);
  await queue.bulk('job', quick(100));
  await workOff(queue, { ...options, concurrency: 2 });
  // Two that run, and done ones that are still being deleted.
  expect(most).toBeLessThan(10);
});
