import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Job, type JobContext } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';

function setUp(handle: (context: JobContext<{ x: number }>) => unknown, settings: object = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const logger = recordingLogger();
  const job = defineJob({ name: 'the.job', tries: 3, backoff: 10, handle, ...settings });
  const queue = createQueue({ default: 'main', connections: { main: driver }, jobs: [job], logger });
  return { clock, driver, logger, job, queue, events: recordEvents(queue) };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('a job tells its handler', () => {
  test('all that is known of it', async () => {
    const seen: unknown[] = [];
    const { queue, job, clock } = setUp(({ job, data, signal, log }) => {
      seen.push({
        id: job.id,
        name: job.name,
        queue: job.queue,
        connection: job.connection,
        data: job.data,
        attempts: job.attempts(),
        payload: job.payload(),
        fields: job.fields,
      });
      expect(data).toEqual({ x: 1 });
      expect(signal).toBe(job.signal);
      expect(job.signal).toBe(job.signal);
      expect(signal.aborted).toBe(false);
      expect([job.isDeleted(), job.isReleased(), job.hasFailed(), job.releaseDelayMs]).toEqual([
        false,
        false,
        false,
        null,
      ]);
      log.info({ own: true }, 'a line');
      if (job.attempts() === 1) throw new Error('again');
    });
    const options = { id: 'mine', queue: 'q', tries: 5, timeout: 30 };
    await queue.push(job, { x: 1 }, options);
    await workOff(queue, { queues: ['q'] });
    clock.advance(12_000);
    await workOff(queue, { queues: ['q'] });
    const payload = {
      job: 'the.job',
      maxTries: 5,
      timeout: 30,
      data: { x: 1 },
      dueAt: expect.any(Number),
      id: 'mine',
    };
    const who = { id: 'mine', name: 'the.job', queue: 'q', connection: 'main' };
    expect(seen).toEqual(
      [1, 2].map((attempts) => ({ ...who, data: { x: 1 }, attempts, payload, fields: { ...who, attempts } })),
    );
  });

  test('on each line of its log', async () => {
    const { queue, job, logger } = setUp(({ log }) => {
      log.debug({}, 'd');
      log.info({ a: 1 }, 'i');
      log.warn({ id: 'its own' }, 'w');
      log.error({}, 'e');
    });
    await queue.push(job, { x: 1 }, { id: 'mine' });
    await workOff(queue);
    const who = { id: 'mine', name: 'the.job', queue: 'default', connection: 'main', attempts: 1 };
    expect(logger.lines).toEqual([
      { level: 'debug', fields: who, message: 'd' },
      { level: 'info', fields: { ...who, a: 1 }, message: 'i' },
      { level: 'warn', fields: { ...who, id: 'its own' }, message: 'w' },
      { level: 'error', fields: who, message: 'e' },
    ]);
  });

  test('is fired once', async () => {
    let runs = 0;
    const { queue, job } = setUp(async ({ job }) => {
      runs += 1;
      await expect(job.fire()).rejects.toMatchObject({ code: 'E_JOB_ALREADY_FIRED' });
    });
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(runs).toBe(1);
    expect(await queue.failed.list()).toEqual([]);
  });
});

describe('a verb takes effect when it is called', () => {
  test('delete', async () => {
    const { queue, job, events } = setUp(async ({ job }) => {
      await job.delete();
      expect(await queue.size()).toEqual(empty);
      expect([job.isDeleted(), job.isReleased(), job.hasFailed()]).toEqual([true, false, false]);
    });
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test('release, at once or after a delay, with the attempt spent', async () => {
    const attempts: number[] = [];
    const { queue, job, events, clock } = setUp(async ({ job }) => {
      attempts.push(job.attempts());
      if (job.attempts() === 3) return;
      await (job.attempts() === 1 ? job.release() : job.release('5s'));
      expect([job.isDeleted(), job.isReleased(), job.hasFailed()]).toEqual([false, true, false]);
      expect(job.releaseDelayMs).toBe(job.attempts() === 1 ? 0 : 5000);
      expect((await queue.size()).reserved).toBe(0);
    });
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(attempts).toEqual([1, 2]);
    expect(await queue.size()).toMatchObject({ delayed: 1 });
    clock.advance(5000);
    await workOff(queue);
    expect(attempts).toEqual([1, 2, 3]);
    expect(events.filter((event) => event.event === 'job:released')).toMatchObject([
      { delayMs: 0 },
      { delayMs: 5000 },
    ]);
  });

  test('fail: on record first, its hook and its event after the handler', async () => {
    const order: string[] = [];
    const boom = new TypeError('given up');
    const { queue, job, events } = setUp(
      async ({ job }) => {
        await job.fail(boom);
        expect([job.isDeleted(), job.isReleased(), job.hasFailed()]).toEqual([true, false, true]);
        expect(await queue.failed.list()).toHaveLength(1);
        expect(await queue.size()).toEqual(empty);
        order.push('handler');
      },
      { failed: ({ error }: { error: unknown }) => order.push(error === boom ? 'hook' : 'other error') },
    );
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(order).toEqual(['handler', 'hook']);
    expect(await queue.failed.list()).toMatchObject([
      { reason: 'by-handler', errorClass: 'TypeError', message: 'given up', attempts: 1, name: 'the.job' },
    ]);
    expect(events.at(-1)).toMatchObject({
      event: 'job:failed',
      reason: 'by-handler',
      error: { message: 'given up' },
    });
  });

  test('fail without an error says that the handler did it', async () => {
    const { queue, job } = setUp(({ job }) => job.fail());
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(await queue.failed.list()).toMatchObject([{ message: 'job the.job was failed by its handler' }]);
  });
});

describe('only one verb may be called', () => {
  const verbs: Record<string, (job: Job) => Promise<void>> = {
    delete: (job) => job.delete(),
    release: (job) => job.release(60),
    fail: (job) => job.fail(new Error('failed')),
  };
  for (const first of Object.keys(verbs)) {
    for (const second of Object.keys(verbs)) {
      test(`${second} after ${first} throws, and changes nothing`, async () => {
        const { queue, job, events } = setUp(async ({ job }) => {
          await verbs[first]?.(job);
          await expect(verbs[second]?.(job)).rejects.toMatchObject({
            code: 'E_JOB_ALREADY_SETTLED',
            fix: expect.stringContaining('once'),
          });
        });
        await queue.push(job, { x: 1 });
        await workOff(queue);
        const end = { delete: 'job:done', release: 'job:released', fail: 'job:failed' }[first];
        expect(namesOf(events)).toEqual(['job:started', end]);
        expect(await queue.size()).toEqual({ ...empty, delayed: first === 'release' ? 1 : 0 });
        expect(await queue.failed.list()).toHaveLength(first === 'fail' ? 1 : 0);
      });
    }
  }

  test('but a release with a bad delay is none', async () => {
    const { queue, job, events } = setUp(async ({ job }) => {
      await expect(job.release('soon' as never)).rejects.toMatchObject({ code: 'E_DURATION' });
      expect(job.isReleased()).toBe(false);
      await job.delete();
    });
    await queue.push(job, { x: 1 });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });
});
