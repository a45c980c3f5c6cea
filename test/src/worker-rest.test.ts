import { afterEach, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';

afterEach(() => vi.useRealTimers());

function setUp() {
  const driver = faulty(memory());
  const startsMs: number[] = [];
  const job = defineJob({ name: 'job', handle: () => void startsMs.push(performance.now()) });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  return { driver, job, queue, startsMs };
}

test('each slot rests after each job, and holds none meanwhile', async () => {
  const { driver, job, queue, startsMs } = setUp();
  await queue.bulk(job, [1, 2, 3, 4]);
  expect(await queue.worker({ rest: '60ms', stopWhenEmpty: true, sleep: '1ms' }).run()).toBe('empty');
  const gaps = startsMs.slice(1).map((ms, index) => ms - (startsMs[index] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(58); // timers count whole milliseconds
  expect(driver.faults.calls('unreserve')).toBe(0);
});

test('slots rest apart from each other', async () => {
  vi.useFakeTimers();
  const { job, queue, startsMs } = setUp();
  await queue.bulk(job, [1, 2, 3, 4]);
  const running = queue.worker({ rest: '100ms', concurrency: 2, maxJobs: 4 }).run();
  await vi.advanceTimersByTimeAsync(500);
  expect(await running).toBe('max-jobs');
  const [first = 0, second = 0, third = 0] = startsMs;
  expect(second - first).toBe(0);
  expect(third - first).toBeGreaterThanOrEqual(98);
});

test('a worker that is told to stop does not rest first', async () => {
  const { driver, job, queue } = setUp();
  await queue.bulk(job, [1, 2]);
  const stop = new AbortController();
  const done = driver.faults.called('delete');
  const running = queue.worker({ rest: '1h' }).run(stop.signal);
  await done;
  stop.abort();
  expect(await within(running, 'the stop')).toBe('signal');
  expect(await queue.size()).toMatchObject({ ready: 1 });
});
