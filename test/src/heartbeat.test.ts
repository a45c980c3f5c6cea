import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type WorkerInfo } from '../../src/index.js';
import { workerInfo } from '../../src/worker-info.js';
import { deferred, within } from '../support/deferred.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { recordingLogger } from '../support/recorder.js';

function setUp(handle: (data: unknown) => unknown = () => {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const job = defineJob({ name: 'job', tries: 1, handle: ({ data }) => handle(data) });
  const logger = recordingLogger();
  const queue = createQueue({ connections: { default: driver }, jobs: [job], logger });
  return { clock, driver, job, queue, logger, stop: new AbortController() };
}

/** Waits until the list of workers is as wanted. */
async function until(
  { queue }: ReturnType<typeof setUp>,
  wanted: (workers: readonly WorkerInfo[]) => boolean,
): Promise<WorkerInfo[]> {
  const looking = (async () => {
    for (;;) {
      const workers = await queue.workers();
      if (wanted(workers)) return workers;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return await within(looking, 'what was wanted of the list of workers');
}

test('says who works, where, at what and since when, and leaves at its end', async () => {
  const started = deferred();
  const goOn = deferred();
  const it = setUp(async (data) => {
    if (data === 'fails') throw new Error('no luck');
    if (data !== 'waits') return;
    started.resolve();
    await goOn.promise;
  });
  await it.queue.bulk(it.job, ['works', 'fails', 'works']);
  const id = await it.queue.push(it.job, 'waits');
  const before = Date.now();
  const running = it.queue.worker({ name: 'boss', heartbeat: '100ms' }).run(it.stop.signal);
  await started.promise;
  const [worker] = await until(it, ([first]) => first?.jobs[0]?.id === id && first.done === 2);
  expect(worker).toMatchObject({
    name: 'boss',
    pid: process.pid,
    queues: ['default'],
    concurrency: 1,
    state: 'working',
    running: 1,
    jobs: [{ id, name: 'job', queue: 'default' }],
    done: 2,
    failed: 1,
  });
  expect(worker?.host).toBeTruthy();
  expect(worker?.rssMiB).toBeGreaterThan(10);
  expect(worker?.startedAtMs).toBeGreaterThanOrEqual(before);
  goOn.resolve();
  await until(it, ([first]) => first?.state === 'idle' && first.done === 3);
  it.stop.abort();
  await running;
  expect(await it.queue.workers()).toEqual([]);
});

test('a job that waits comes to its handler before the worker is on the list', async () => {
  let seen: readonly WorkerInfo[] | undefined;
  const it = setUp(async () => {
    seen = await it.queue.workers();
  });
  await it.queue.push(it.job, null);
  const running = it.queue.worker({ heartbeat: '100ms' }).run(it.stop.signal);
  await until(it, ([first]) => first?.done === 1);
  expect(seen).toEqual([]);
  it.stop.abort();
  await running;
});

test('says at once that it pauses, goes on, or stops', async () => {
  const started = deferred();
  const goOn = deferred();
  const it = setUp(async () => {
    started.resolve();
    await goOn.promise;
  });
  const worker = it.queue.worker({ heartbeat: '1h' });
  const running = worker.run(it.stop.signal);
  await until(it, ([first]) => first?.state === 'idle');
  worker.pause();
  await until(it, ([first]) => first?.state === 'paused');
  worker.resume();
  await until(it, ([first]) => first?.state === 'idle');
  await it.queue.pause();
  await until(it, ([first]) => first?.state === 'paused');
  await it.queue.resume();
  await until(it, ([first]) => first?.state === 'idle');
  await it.queue.push(it.job, 1);
  await started.promise;
  it.stop.abort();
  await until(it, ([first]) => first?.state === 'stopping' && first.running === 1);
  goOn.resolve();
  await running;
});

test('one that died shows as gone? and is then forgotten, by the clock of the store', async () => {
  const it = setUp();
  const running = it.queue.worker().run(it.stop.signal);
  await until(it, (workers) => workers.length === 1);
  // To the store the worker says no more: the clock moves between two of its beats.
  it.clock.advance(5000);
  expect(await it.queue.workers()).toMatchObject([{ state: 'idle', quietMs: 5000 }]);
  it.clock.advance(2000);
  expect(await it.queue.workers()).toMatchObject([{ state: 'gone?', quietMs: 7000 }]);
  it.clock.advance(3000);
  expect(await it.queue.workers()).toEqual([]);
  it.stop.abort();
  await running;
});

describe('a list that cannot be written', () => {
  test('costs the worker nothing, and is told of once', async () => {
    const it = setUp();
    it.driver.faults.away('workers.beat', 'workers.leave');
    await it.queue.bulk(it.job, [1, 2, 3]);
    const third = it.driver.faults.called('workers.beat', 3);
    const running = it.queue.worker({ heartbeat: '100ms' }).run(it.stop.signal);
    await within(third, 'three beats');
    it.stop.abort();
    expect(await running).toBe('signal');
    expect(await it.queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    const warnings = it.logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual([
      'could not write to the list of workers; the worker goes on',
    ]);
  });

  test('does not hold up the end of a worker', async () => {
    const it = setUp();
    const leaving = it.driver.faults.hold('workers.leave');
    const running = it.queue.worker({ once: true }).run();
    await leaving.reached;
    expect(await within(running, 'the end')).toBe('empty');
    leaving.letGo();
  });

  test('is not there: E_UNSUPPORTED, and workers work', async () => {
    const job = defineJob({ name: 'job', handle: () => {} });
    const queue = createQueue({ connections: { default: faulty(memory(), ['workers']) }, jobs: [job] });
    await queue.push(job);
    expect(await queue.worker({ once: true }).run()).toBe('once');
    await expect(queue.workers()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
  });
});

test('heartbeat 0 keeps a worker off the list', async () => {
  const it = setUp();
  expect(await it.queue.worker({ once: true, heartbeat: 0 }).run()).toBe('empty');
  expect(it.driver.faults.calls('workers.beat')).toBe(0);
  expect(it.driver.faults.calls('workers.leave')).toBe(0);
});

test('what other programs left on the list is passed over', async () => {
  const it = setUp();
  await it.queue.workers();
  await it.driver.store.workers?.beat({ id: 'foreign', about: 'rubbish', keepMs: 1000 });
  expect(await it.queue.workers()).toEqual([]);
  expect(workerInfo({ id: 'a', about: 'null', leftMs: 1 })).toBeUndefined();
});

test('an error of the list reaches who asks for it', async () => {
  const it = setUp();
  it.driver.faults.refuse('workers.list', storeAway());
  await expect(it.queue.workers()).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
});
