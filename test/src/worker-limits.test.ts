import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { type Connector, createQueue, defineJob, type JobContext } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty, storeCorrupt } from '../support/faulty-driver.js';
import { workOff } from '../support/recorder.js';

afterEach(() => void vi.useRealTimers());

function setUp(
  handle: (context: JobContext<unknown>) => unknown = () => {},
  without: (keyof Connector)[] = [],
) {
  const driver = faulty(memory(), without);
  const job = defineJob({ name: 'job', handle });
  return { driver, job, queue: createQueue({ connections: { default: driver }, jobs: [job] }) };
}

/** Stores that can wake a worker, and stores that are looked at again and again. */
const stores: [name: string, without: (keyof Connector)[]][] = [
  ['a store that can wake it', []],
  ['a store that it must look at', ['waitForJob']],
];

describe('once', () => {
  test('runs one job, whatever its end, and leaves the others', async () => {
    const { queue, job } = setUp(() => Promise.reject(new Error('boom')));
    await queue.bulk(job, [1, 2]);
    expect(await queue.worker({ once: true, concurrency: 5 }).run()).toBe('once');
    expect(await queue.size()).toEqual({ ready: 1, delayed: 1, reserved: 0 });
  });

  test('does not wait where there is none due', async () => {
    const { queue, job } = setUp();
    await queue.push(job, null, { delay: '1ms' });
    expect(await within(queue.worker({ once: true, sleep: '1h', queues: ['other'] }).run(), 'the stop')).toBe(
      'empty',
    );
  });

  test('counts a job that cannot be read', async () => {
    const { queue, driver } = setUp();
    await driver.store.push('default', [{ id: 'x', body: 'unreadable' }]);
    expect(await queue.worker({ once: true }).run()).toBe('once');
  });
});

describe('maxJobs', () => {
  test('runs so many and reserves no more', async () => {
    let runs = 0;
    const { queue, job } = setUp(() => runs++);
    await queue.bulk(job, [1, 2, 3, 4, 5]);
    expect(await queue.worker({ maxJobs: 3, concurrency: 2 }).run()).toBe('max-jobs');
    expect(runs).toBe(3);
    expect(await queue.size()).toEqual({ ready: 2, delayed: 0, reserved: 0 });
  });
});

describe.each(stores)('stopWhenEmpty on %s', (_, without) => {
  test('stops at once where there is nothing', async () => {
    const { queue } = setUp(undefined, without);
    expect(await within(queue.worker({ stopWhenEmpty: true, sleep: '1h' }).run(), 'the stop')).toBe('empty');
  });

  test('runs what jobs push, and what falls due soon', async () => {
    const seen: unknown[] = [];
    const { queue, job } = setUp(async ({ data }) => {
      seen.push(data);
      if (data === 'first') {
        await queue.push('job', 'pushed');
        await queue.push('job', 'soon', { delay: '30ms' });
      }
    }, without);
    await queue.push(job, 'first');
    expect(await within(queue.worker({ stopWhenEmpty: true, sleep: '1m' }).run(), 'the stop')).toBe('empty');
    expect(seen).toEqual(['first', 'pushed', 'soon']);
  });

  test('leaves what is delayed for longer', async () => {
    const { queue, job } = setUp(undefined, without);
    await queue.push(job, null, { delay: '1h' });
    expect(await within(queue.worker({ stopWhenEmpty: true, sleep: '20ms' }).run(), 'the stop')).toBe(
      'empty',
    );
    expect(await queue.size()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
  });

  test('does not wait for the jobs of other workers', async () => {
    const { queue, job, driver } = setUp(undefined, without);
    await queue.push(job);
    await driver.store.reserve(['default'], 1, 90_000);
    expect(await within(queue.worker({ stopWhenEmpty: true, sleep: '1h' }).run(), 'the stop')).toBe('empty');
  });

  test('waits for its own', async () => {
    const { queue, job } = setUp(() => sleep(30), without);
    await queue.push(job);
    expect(await queue.worker({ stopWhenEmpty: true, concurrency: 3, sleep: '1ms' }).run()).toBe('empty');
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });
});

describe('maxTime', () => {
  test('ends an idle worker', async () => {
    const { queue } = setUp();
    expect(await within(queue.worker({ maxTime: '20ms', sleep: '1h' }).run(), 'the stop')).toBe('max-time');
  });

  test('lets the running job end', async () => {
    let ended = false;
    const { queue, job } = setUp(async () => {
      await sleep(40);
      ended = true;
    });
    await queue.bulk(job, [1, 2]);
    expect(await queue.worker({ maxTime: '10ms' }).run()).toBe('max-time');
    expect(ended).toBe(true);
    expect(await queue.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('is counted from the start of the run, not from the making of the worker', async () => {
    vi.useFakeTimers();
    const { queue, job } = setUp();
    await queue.push(job);
    const worker = queue.worker({ maxTime: '50ms', once: true });
    vi.advanceTimersByTime(60);
    const running = worker.run();
    await vi.advanceTimersByTimeAsync(40);
    expect(await running).toBe('once');
  });

  test('may be longer than a timer of Node can be', async () => {
    const { queue, job } = setUp(() => sleep(20));
    await queue.bulk(job, [1, 2]);
    expect(await workOff(queue, { maxTime: '30d' })).toBe('empty');
  });
});

describe('memory', () => {
  test('ends a worker that is above after each look for jobs, when what it found is done', async () => {
    const { queue, job } = setUp();
    await queue.bulk(job, [1, 2]);
    expect(await queue.worker({ memory: 1 }).run()).toBe('memory');
    expect(await queue.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
    await queue.clear();
    expect(await queue.worker({ memory: 1 }).run()).toBe('memory');
  });

  test('does not end a worker that is below', async () => {
    const { queue } = setUp();
    expect(await workOff(queue, { memory: 1_000_000 })).toBe('empty');
  });
});

describe.each(stores)('an idle worker on %s', (_, without) => {
  test('takes a job that is pushed', async () => {
    const ran = deferred();
    const { queue, job } = setUp(() => ran.resolve(), without);
    const stop = new AbortController();
    const run = queue.worker({ sleep: '20ms' }).run(stop.signal);
    await sleep(5);
    await queue.push(job);
    await within(ran.promise, 'the run');
    stop.abort();
    expect(await run).toBe('signal');
  });

  test('stops when it is told to, however long it would have slept', async () => {
    const { queue, driver } = setUp(undefined, without);
    const stop = new AbortController();
    const run = queue.worker({ sleep: '1h' }).run(stop.signal);
    await driver.faults.called('reserve');
    await new Promise(setImmediate);
    stop.abort();
    expect(await within(run, 'the stop')).toBe('signal');
  });

  test('stops also when it is told to while it looks for a job', async () => {
    const { queue, driver } = setUp(undefined, without);
    const stop = new AbortController();
    const look = driver.faults.hold('reserve');
    const run = queue.worker({ sleep: '1h' }).run(stop.signal);
    await look.reached;
    stop.abort();
    look.letGo();
    expect(await within(run, 'the stop')).toBe('signal');
  });

  test('with a sleep of 0 leaves the event loop room', async () => {
    const { queue, driver } = setUp(undefined, without);
    const stop = new AbortController();
    let turned = false;
    setImmediate(() => {
      turned = true;
      stop.abort();
    });
    // Ends the run where nothing else could: timers, signals and other jobs would never get their turn.
    const looks = async (call: () => Promise<unknown>) => {
      if (!turned && driver.faults.calls('reserve') > 10_000) throw storeCorrupt();
      return call();
    };
    for (let look = 0; look < 10_010; look++) driver.faults.next('reserve', looks);
    expect(await queue.worker({ sleep: 0 }).run(stop.signal)).toBe('signal');
  });
});

test('a worker that is told to stop before it runs reserves nothing', async () => {
  const { queue, job, driver } = setUp();
  await queue.push(job);
  expect(await queue.worker().run(AbortSignal.abort())).toBe('signal');
  expect(driver.faults.calls('reserve')).toBe(0);
});

test('a run leaves no timer and no listener behind', async () => {
  const { queue, job } = setUp(({ signal }) => void signal);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const stop = new AbortController();
  const before = timers();
  await queue.bulk(job, [1, 2, 3]);
  await queue.worker({ stopWhenEmpty: true, sleep: '1ms', concurrency: 2, maxTime: '1h' }).run(stop.signal);
  expect(timers()).toBe(before);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
