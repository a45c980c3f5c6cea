import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobContext } from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

function setUp(handle: (context: JobContext<number>) => unknown) {
  const clock = manualClock();
  const driver = faulty(memory({ clock, queue: 'main' }));
  const job = defineJob({ name: 'job', handle });
  return { clock, driver, job, queue: createQueue({ connections: { default: driver }, jobs: [job] }) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('one worker runs jobs', () => {
  test('in the order of their pushes', async () => {
    const seen: number[] = [];
    const { queue, job } = setUp(({ data }) => void seen.push(data));
    await queue.bulk(job, upTo(100));
    for (const data of [100, 101]) await queue.push(job, data);
    await workOff(queue);
    expect(seen).toEqual(upTo(102));
  });

  test('in the order in which they fall due', async () => {
    const seen: number[] = [];
    const { queue, job, clock } = setUp(({ data }) => void seen.push(data));
    for (const delay of [3, 1, 2, 0]) await queue.push(job, delay, { delay });
    clock.advance(3000);
    await workOff(queue);
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('of its own queues only: those named, else that of the connection', async () => {
    const seen: number[] = [];
    const { queue, job } = setUp(({ data }) => void seen.push(data));
    await queue.push(job, 1);
    await queue.push(job, 2, { queue: 'other' });
    await workOff(queue, { queues: [] });
    expect(seen).toEqual([1]);
    await workOff(queue, { queues: ['other', 'other'] });
    expect(seen).toEqual([1, 2]);
  });

  test('of an earlier queue before those of a later one, also when they come later', async () => {
    const seen: string[] = [];
    const { queue, job } = setUp(async ({ data, job }) => {
      seen.push(`${job.queue} ${data}`);
      if (job.queue === 'low' && data === 1) await queue.push('job', 9, { queue: 'high' });
    });
    for (const data of [1, 2]) await queue.push(job, data, { queue: 'low' });
    for (const data of [1, 2]) await queue.push(job, data, { queue: 'middle' });
    for (const data of [1, 2]) await queue.push(job, data, { queue: 'high' });
    await workOff(queue, { queues: ['high', 'middle', 'low'] });
    expect(seen).toEqual(['high 1', 'high 2', 'middle 1', 'middle 2', 'low 1', 'high 9', 'low 2']);
  });
});

describe('concurrency', () => {
  test.each([1, 2, 7])('%d is reached and never exceeded', async (concurrency) => {
    const full = deferred();
    let running = 0;
    let most = 0;
    const { queue, job } = setUp(async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === concurrency) full.resolve();
      await full.promise; // hangs unless so many really run side by side
      await new Promise(setImmediate);
      running -= 1;
    });
    await queue.bulk(job, upTo(5 * concurrency + 1));
    await workOff(queue, { concurrency });
    expect(most).toBe(concurrency);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });

  test('is one unless told otherwise', async () => {
    let running = 0;
    const { queue, job } = setUp(async () => {
      expect(++running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
    });
    await queue.bulk(job, upTo(5));
    await workOff(queue);
    expect(await queue.failed.list()).toEqual([]);
  });

  test('fills a slot again as soon as it is free', async () => {
    const others = deferred();
    let done = 0;
    const { queue, job } = setUp(async ({ data }) => {
      if (data === 0) return others.promise; // hangs unless the others run meanwhile
      await new Promise(setImmediate);
      if (++done === 10) others.resolve();
    });
    await queue.bulk(job, upTo(11));
    await workOff(queue, { concurrency: 2 });
    expect(done).toBe(10);
  });

  test('runs each job once, with two workers at the same time', async () => {
    const seen: number[] = [];
    const { queue, job } = setUp(async ({ data }) => {
      await new Promise(setImmediate);
      seen.push(data);
    });
    await queue.bulk(job, upTo(200));
    await Promise.all([workOff(queue, { concurrency: 3 }), workOff(queue, { concurrency: 3 })]);
    expect(seen.sort((a, b) => a - b)).toEqual(upTo(200));
  });

  test('takes no more jobs than it has slots for', async () => {
    const goOn = deferred();
    const started = deferred();
    const { queue, job } = setUp(({ data }) => {
      if (data === 1) started.resolve();
      return goOn.promise;
    });
    await queue.bulk(job, upTo(10));
    const run = workOff(queue, { concurrency: 2 });
    await started.promise;
    expect(await queue.size()).toEqual({ ready: 8, delayed: 0, reserved: 2 });
    goOn.resolve();
    await run;
  });
});
