import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  defineJob,
  type JobContext,
  type JobSettings,
  type PushOptions,
} from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

function setUp(handle: (context: JobContext<unknown>) => unknown, settings: JobSettings = {}) {
  const job = defineJob({ name: 'job', handle, ...settings });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job], worker: { timeout: '20ms' } });
  return { job, queue, events: recordEvents(queue) };
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}

describe('a run over its timeout', () => {
  test('has its signal aborted, with a reason that names the job and the time', async () => {
    const reason = deferred<unknown>();
    const { queue, job } = setUp(async ({ job, signal }) => {
      reason.resolve(await aborted(signal));
      expect(job.signal).toBe(signal);
    });
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(await reason.promise).toMatchObject({
      code: 'E_TIMEOUT',
      message: 'job job (mine) ran longer than 20 ms',
    });
  });

  test('that never asked for the signal finds it aborted when it does', async () => {
    const found = deferred<AbortSignal>();
    const { queue, job } = setUp(async (context) => {
      await sleep(40);
      found.resolve(context.job.signal);
    });
    await queue.push(job);
    await workOff(queue);
    expect((await found.promise).reason).toMatchObject({ code: 'E_TIMEOUT' });
  });

  test.each<[string, (context: JobContext<unknown>) => Promise<unknown>]>([
    ['that honours the abort', async ({ signal }) => Promise.reject(await aborted(signal))],
    [
      'that throws something else',
      async ({ signal }) => aborted(signal).then(() => Promise.reject(new Error('x'))),
    ],
    ['that returns after it', async ({ signal }) => aborted(signal)],
    ['that looks no further', () => sleep(200)],
  ])('%s is a failed attempt', async (_, handle) => {
    const { queue, job, events } = setUp(handle);
    await queue.push(job, null, { tries: 2, backoff: 0 });
    await workOff(queue, { grace: '10ms', concurrency: 3 });
    expect(namesOf(events)).toEqual(['job:started', 'job:released', 'job:started', 'job:failed']);
    expect(await queue.failed.list()).toMatchObject([
      {
        reason: 'timed-out',
        attempts: 2,
        errorClass: 'QueueError',
        message: expect.stringContaining('20 ms'),
      },
    ]);
  });

  test('has the grace to end in before its job is settled', async () => {
    let ended = false;
    const { queue, job, events } = setUp(async ({ signal }) => {
      await aborted(signal);
      await sleep(30);
      ended = true;
      throw signal.reason;
    });
    queue.events.on('job:released', () => expect(ended).toBe(true));
    await queue.push(job);
    await workOff(queue, { grace: '10s' });
    expect(namesOf(events)).toEqual(['job:started', 'job:released']);
  });
});

describe('the timeout of a run is', () => {
  /** Whether a job of 40 ms ends under a worker's timeout of 20 ms. */
  async function ends(settings: JobSettings, options: PushOptions = {}): Promise<boolean> {
    const { queue, job } = setUp(async ({ signal }) => {
      await sleep(40);
      signal.throwIfAborted();
    }, settings);
    await queue.push(job, null, { tries: 1, ...options });
    await workOff(queue);
    return (await queue.failed.list()).length === 0;
  }

  test.each<[string, JobSettings, PushOptions, boolean]>([
    ["the worker's", {}, {}, false],
    ["the job's before the worker's", { timeout: '10s' }, {}, true],
    ["the push's before the job's", { timeout: '10s' }, { timeout: '10ms' }, false],
    ["the push's before the worker's", {}, { timeout: 10 }, true],
    ['none where the job says 0', { timeout: 0 }, {}, true],
    ['none where the push says 0', { timeout: '10ms' }, { timeout: 0 }, true],
    // Longer than a timer of Node can be: 2^31 ms are not quite 25 days.
    ['30 days, which is not at once', { timeout: '30d' }, {}, true],
    ['30 days of a push, which is not at once', {}, { timeout: '30d' }, true],
  ])('%s', async (_, settings, options, expected) => {
    expect(await ends(settings, options)).toBe(expected);
  });

  test('none where the worker says 0', async () => {
    const { queue, job, events } = setUp(() => sleep(40));
    await queue.push(job);
    await workOff(queue, { timeout: 0 });
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });
});

test('a timeout of one job leaves its neighbours alone', async () => {
  const { queue, job, events } = setUp(async ({ data, signal }) => {
    if (data === 'slow') throw await aborted(signal);
    await sleep(60);
    expect(signal.aborted).toBe(false);
  });
  await queue.push(job, 'slow', { timeout: '5ms' });
  await queue.push(job, 'other', { timeout: '10s' });
  await within(workOff(queue, { concurrency: 2 }), 'the end');
  expect(namesOf(events)).toEqual(['job:started', 'job:started', 'job:released', 'job:done']);
});
