import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob, type JobContext, type QueueConfig } from '../../src/index.js';
import { namesOf, recordEvents } from '../support/recorder.js';

function setUp(handle: (context: JobContext<unknown>) => unknown, config: Partial<QueueConfig> = {}) {
  const seen: unknown[] = [];
  const job = defineJob({
    name: 'job',
    handle,
    failed: ({ error }) => seen.push(['hook', (error as Error)?.message]),
  });
  const queue = createQueue({ connections: { default: sync() }, jobs: [job], ...config });
  return { queue, job, seen, events: recordEvents(queue) };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('a push on a sync connection', () => {
  test('runs the job before it resolves, and answers its id', async () => {
    const ran: unknown[] = [];
    const { queue, job, events } = setUp(async ({ data, job }) => {
      await new Promise(setImmediate);
      ran.push([data, job.id, job.queue, job.connection, job.attempts()]);
    });
    expect(await queue.push(job, { x: 1 }, { id: 'mine', queue: 'q' })).toBe('mine');
    expect(ran).toEqual([[{ x: 1 }, 'mine', 'q', 'default', 1]]);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(await queue.size('q')).toEqual(empty);
  });

  test('runs a definition that is not in the config', async () => {
    let runs = 0;
    const queue = createQueue({ connections: { default: sync() } });
    await queue.push(defineJob({ name: 'job', handle: () => runs++ }));
    expect(runs).toBe(1);
  });

  test('runs a class', async () => {
    const ran: unknown[] = [];
    class Dismiss {
      fire(_: unknown, data: unknown) {
        ran.push(['fire', data]);
      }
      task1(_: unknown, data: unknown) {
        ran.push(['task1', data]);
      }
    }
    const queue = createQueue({ connections: { default: sync() }, jobs: { Dismiss } });
    await queue.push(Dismiss, 1);
    await queue.push('Dismiss@task1', 2);
    expect(ran).toEqual([
      ['fire', 1],
      ['task1', 2],
    ]);
  });

  test('gives the handler data that went through JSON, not the very object', async () => {
    let given: unknown;
    const data = { list: [1], none: undefined };
    const { queue, job } = setUp(({ data }) => {
      given = data;
    });
    await queue.push(job, data);
    expect(given).toEqual({ list: [1] });
    expect(given).not.toBe(data);
    await expect(queue.push(job, new Date())).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
  });

  test('does not wait for a delay', async () => {
    let runs = 0;
    const { queue, job } = setUp(() => runs++);
    await queue.push(job, null, { delay: '1h' });
    await queue.later('7d', job, null);
    await queue.push(job, null, { at: new Date(Date.now() + 86_400_000) });
    expect(runs).toBe(3);
  });

  test('runs a job that a job pushes', async () => {
    const ran: unknown[] = [];
    const { queue, job } = setUp(async ({ data }) => {
      ran.push(data);
      if (data === 'outer') await queue.push('job', 'inner');
      ran.push(`${data} ended`);
    });
    await queue.push(job, 'outer');
    expect(ran).toEqual(['outer', 'inner', 'inner ended', 'outer ended']);
  });

  test('does not hold an id: nothing is stored', async () => {
    let runs = 0;
    const { queue, job } = setUp(() => runs++);
    await queue.push(job, null, { id: 'same' });
    await queue.push(job, null, { id: 'same' });
    expect(runs).toBe(2);
  });
});

describe('a job that runs in the push', () => {
  test('may release itself, which is told and has no effect', async () => {
    let runs = 0;
    const { queue, job, events } = setUp(async ({ job }) => {
      runs += 1;
      await job.release(60);
      expect(job.isReleased()).toBe(true);
      expect(job.releaseDelayMs).toBe(60_000);
    });
    await queue.push(job);
    expect(runs).toBe(1);
    expect(events).toMatchObject([{ event: 'job:started' }, { event: 'job:released', delayMs: 60_000 }]);
  });

  test('may delete itself, and may fail itself', async () => {
    const { queue, job, seen } = setUp(({ data, job }) =>
      data ? job.fail(new Error('by hand')) : job.delete(),
    );
    await queue.push(job, false);
    expect(seen).toEqual([]);
    await expect(queue.push(job, true)).rejects.toThrow('by hand');
    expect(seen).toEqual([['hook', 'by hand']]);
  });

  test('has its timeout', async () => {
    const { queue, job } = setUp(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await expect(queue.push(job, null, { timeout: '10ms' })).rejects.toMatchObject({ code: 'E_TIMEOUT' });
  });

  test('has its data checked', async () => {
    let runs = 0;
    const job = defineJob({ name: 'job', input: z.coerce.number(), handle: ({ data }) => (runs += data) });
    const queue = createQueue({ connections: { default: sync() } });
    await queue.push(job, '41');
    expect(runs).toBe(41);
    await expect(queue.push(job, 'x')).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    await expect(queue.push('job', 'x')).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(runs).toBe(41);
  });

  test('rejects the push where it is to be acknowledged by hand and was not', async () => {
    const job = defineJob<string>({
      name: 'job',
      ack: 'manual',
      handle: ({ data, job }) => (data === 'settled' ? job.delete() : undefined),
    });
    const queue = createQueue({ connections: { default: sync() } });
    await queue.push(job, 'settled');
    await expect(queue.push(job, 'not settled')).rejects.toMatchObject({ code: 'E_INLINE_CONNECTION' });
  });

  test('throws to the pusher what it threw after it was settled', async () => {
    const job = defineJob({
      name: 'job',
      async handle({ job }) {
        await job.delete();
        throw new Error('too late');
      },
    });
    const queue = createQueue({ connections: { default: sync() } });
    await expect(queue.push(job)).rejects.toThrow('too late');
  });

  test('must be one that is registered', async () => {
    const { queue, events } = setUp(() => {});
    await expect(queue.push('unknown.job')).rejects.toMatchObject({
      code: 'E_JOB_UNKNOWN',
      message: expect.stringContaining('unknown.job'),
    });
    expect(namesOf(events)).toEqual(['job:failed']);
  });
});

describe('a sync connection', () => {
  test('has nothing to work', () => {
    const { queue } = setUp(() => {});
    expect(() => queue.worker()).toThrow(
      expect.objectContaining({ code: 'E_INLINE_CONNECTION', fix: expect.any(String) }),
    );
  });

  test("has no lease, so the timeouts of other connections' workers are no matter", async () => {
    let runs = 0;
    const { queue, job } = setUp(() => runs++, { worker: { timeout: '10m' } });
    await queue.push(job);
    expect(runs).toBe(1);
    expect(() => queue.worker()).toThrow(expect.objectContaining({ code: 'E_INLINE_CONNECTION' }));
  });

  test('runs nothing after it was closed', async () => {
    let runs = 0;
    const { queue, job } = setUp(() => runs++);
    await queue.push(job);
    await queue.close();
    await expect(queue.push(job)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    expect(runs).toBe(1);
  });

  test('has a queue of its own name, and no other options', async () => {
    let ranOn: string | undefined;
    const job = defineJob({
      name: 'job',
      handle({ job }) {
        ranOn = job.queue;
      },
    });
    await createQueue({ connections: { default: sync({ queue: 'mine' }) } }).push(job);
    expect(ranOn).toBe('mine');
    expect(() => sync({ queue: 'a b' })).toThrow(expect.objectContaining({ code: 'E_QUEUE_NAME' }));
  });
});
