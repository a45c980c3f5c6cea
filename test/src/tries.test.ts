import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  defineJob,
  exponential,
  type JobSettings,
  type PushOptions,
  type WorkerOptions,
} from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

/** A job that always throws, on a worker that runs it until it fails or `most` times. */
async function runOut(settings: JobSettings, options: PushOptions, worker: WorkerOptions, most = 20) {
  const clock = manualClock();
  const attempts: number[] = [];
  const waits: number[] = [];
  const job = defineJob({
    name: 'job',
    handle({ job }) {
      attempts.push(job.attempts());
      throw new Error(`attempt ${job.attempts()}`);
    },
    ...settings,
  });
  const queue = createQueue({ connections: { default: memory({ clock }) }, jobs: [job], worker });
  queue.events.on('job:released', ({ delayMs }) => waits.push(delayMs));
  await queue.push(job, null, options);
  for (let round = 0; round < most; round++) {
    await workOff(queue, { once: true });
    const wait = waits.at(-1) ?? 0;
    // Not a moment before it is due.
    clock.advance(wait - 1);
    if (wait > 1) expect(await queue.size()).not.toMatchObject({ ready: 1 });
    clock.advance(1);
  }
  return { attempts, waits, failed: await queue.failed.list() };
}

describe('a job may be tried', () => {
  test.each<[string, JobSettings, PushOptions, WorkerOptions, number]>([
    ['three times by default', {}, {}, {}, 3],
    ['as often as the worker says', {}, {}, { tries: 2 }, 2],
    ['as often as its definition says, before the worker', { tries: 4 }, {}, { tries: 2 }, 4],
    ['as often as its push says, before both', { tries: 4 }, { tries: 1 }, { tries: 2 }, 1],
  ])('%s', async (_, settings, options, worker, tries) => {
    const { attempts, failed } = await runOut(settings, options, worker);
    expect(attempts).toEqual(Array.from({ length: tries }, (_, index) => index + 1));
    expect(failed).toMatchObject([{ reason: 'max-tries', attempts: tries, message: `attempt ${tries}` }]);
  });

  test.each<[string, JobSettings, PushOptions, WorkerOptions]>([
    ['by its push', { tries: 1 }, { tries: 0 }, { tries: 1 }],
    ['by its definition', { tries: 0 }, {}, { tries: 1 }],
    ['by the worker', {}, {}, { tries: 0 }],
  ])('without limit where 0 is said %s', async (_, settings, options, worker) => {
    const { attempts, failed } = await runOut(settings, options, { ...worker, backoff: 0 }, 50);
    expect(attempts).toHaveLength(50);
    expect(failed).toEqual([]);
  });
});

describe('the wait between two tries', () => {
  test.each<[string, JobSettings, PushOptions, WorkerOptions, number[]]>([
    ["is the worker's", {}, {}, { backoff: [1, 2] }, [1000, 2000, 2000]],
    ["is the definition's before the worker's", { backoff: '3s' }, {}, { backoff: 1 }, [3000, 3000, 3000]],
    ["is the push's before both", { backoff: 3 }, { backoff: [4, '5s', 0] }, { backoff: 1 }, [4000, 5000, 0]],
    [
      'may grow',
      { backoff: exponential('1s', { factor: 10, max: '20s', jitter: false }) },
      {},
      {},
      [1000, 10_000, 20_000],
    ],
  ])('%s', async (_, settings, options, worker, expected) => {
    const { waits } = await runOut(settings, options, { tries: 4, ...worker });
    expect(waits).toEqual(expected);
  });

  test('grows by default from one second on, spread by a fifth', async () => {
    const { waits } = await runOut({}, {}, { tries: 4 });
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(800 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(1200 * 2 ** index);
    }
    expect(waits).toHaveLength(3);
  });
});

describe('a job that was delivered more often than it may be tried', () => {
  function setUp() {
    let runs = 0;
    const clock = manualClock();
    const driver = faulty(memory({ clock }));
    const hooked: unknown[] = [];
    const job = defineJob({
      name: 'job',
      tries: 2,
      handle: () => runs++,
      failed: ({ error }) => hooked.push(error),
    });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    /** A worker that takes the job and is never heard of again. */
    const vanish = async () => {
      expect(await driver.store.reserve(['default'], 1, 90_000)).toHaveLength(1);
      clock.advance(90_000);
    };
    return { queue, job, events: recordEvents(queue), vanish, hooked, runs: () => runs };
  }

  test('is run once more, as nobody knows whether it was ever started', async () => {
    const { queue, job, events, vanish, runs } = setUp();
    await queue.push(job);
    await vanish();
    await vanish();
    await workOff(queue);
    expect(runs()).toBe(1);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(events[0]).toMatchObject({ attempts: 3 });
  });

  test('runs alone then, and fails without another run when that worker vanishes too', async () => {
    const { queue, job, events, vanish, hooked, runs } = setUp();
    await queue.push(job);
    await vanish();
    await vanish();
    await vanish();
    await workOff(queue);
    expect(runs()).toBe(0);
    expect(namesOf(events)).toEqual(['job:failed']);
    expect(await queue.failed.list()).toMatchObject([
      { reason: 'lease-lost', attempts: 4, message: expect.stringContaining('delivered 3 times') },
    ]);
    expect(hooked).toMatchObject([{ code: 'E_MAX_TRIES' }]);
  });

  test('has no other job beside it in that run', async () => {
    const { queue, job, vanish } = setUp();
    await queue.push(job, null, { id: 'late' });
    await vanish();
    await vanish();
    for (const id of ['a', 'b', 'c']) await queue.push(job, null, { id });
    const under = new Set<string>();
    const beside: string[][] = [];
    queue.events.on('job:started', ({ id }) => {
      under.add(id);
      if (under.has('late')) beside.push([...under]);
    });
    queue.events.on('job:done', ({ id }) => under.delete(id));
    await queue.worker({ stopWhenEmpty: true, concurrency: 4 }).run();
    expect(beside).toEqual([['late']]);
  });

  test('is not run again where its handler released it on its last try', async () => {
    const clock = manualClock();
    let runs = 0;
    const job = defineJob({
      name: 'job',
      tries: 1,
      handle: ({ job }) => {
        runs += 1;
        return job.release(0);
      },
    });
    const queue = createQueue({ connections: { default: memory({ clock }) }, jobs: [job] });
    await queue.push(job);
    await workOff(queue);
    expect(runs).toBe(1);
    expect(await queue.failed.list()).toMatchObject([{ reason: 'max-tries', attempts: 2 }]);
  });

  test('is run as long as a try is left', async () => {
    const { queue, job, events, vanish, runs } = setUp();
    await queue.push(job);
    await vanish();
    await workOff(queue);
    expect(runs()).toBe(1);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test('is always run where there is no limit', async () => {
    const { queue, job, vanish, runs } = setUp();
    await queue.push(job, null, { tries: 0 });
    for (let time = 0; time < 20; time++) await vanish();
    await workOff(queue);
    expect(runs()).toBe(1);
  });
});

test('a job that is not registered is tried as often as any other: a worker may be older than the push', async () => {
  const clock = manualClock();
  const queue = createQueue({
    connections: { default: memory({ clock }) },
    worker: { tries: 2, backoff: 5, unknownJobPatience: 0 },
  });
  const events = recordEvents(queue);
  await queue.push('of.the.next.version');
  await workOff(queue);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
  clock.advance(5000);
  await workOff(queue);
  expect(namesOf(events)).toEqual(['job:released', 'job:failed']);
  expect(await queue.failed.list()).toMatchObject([
    { reason: 'unknown-job', name: 'of.the.next.version', attempts: 2 },
  ]);
});
