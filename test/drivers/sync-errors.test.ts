import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob, type JobContext } from '../../src/index.js';
import { namesOf, recordEvents } from '../support/recorder.js';

function setUp(handle: (context: JobContext<unknown>) => unknown) {
  const seen: unknown[] = [];
  const job = defineJob({
    name: 'job',
    handle,
    failed: ({ error }) => seen.push(['hook', (error as Error)?.message]),
  });
  const queue = createQueue({ connections: { default: sync() }, jobs: [job] });
  return { queue, job, seen, events: recordEvents(queue) };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('an error of the job', () => {
  test('rejects the push with that very error, after the hook and the event', async () => {
    const boom = new Error('boom');
    const { queue, job, seen, events } = setUp(() => Promise.reject(boom));
    queue.events.on('job:failed', ({ reason }) => seen.push(['event', reason]));
    await expect(queue.push(job, null)).rejects.toBe(boom);
    expect(seen).toEqual([
      ['hook', 'boom'],
      ['event', 'max-tries'],
    ]);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
  });

  test.each([0, 5])('is not tried again, whatever the tries (%d)', async (tries) => {
    let runs = 0;
    const { queue, job } = setUp(() => {
      runs += 1;
      throw new Error('boom');
    });
    await expect(queue.push(job, null, { tries, backoff: 0 })).rejects.toThrow('boom');
    expect(runs).toBe(1);
  });

  test('may be no error at all', async () => {
    const { queue, job } = setUp(() => Promise.reject(undefined));
    await expect(queue.push(job)).rejects.toBeUndefined();
  });

  test('in a hook changes nothing: the pusher gets the error of the job', async () => {
    const job = defineJob({
      name: 'job',
      handle() {
        throw new Error('boom');
      },
      failed() {
        throw new Error('hook broke');
      },
    });
    const queue = createQueue({ connections: { default: sync() } });
    await expect(queue.push(job)).rejects.toThrow('boom');
  });

  test('is kept where failed jobs are kept, and can be retried from there', async () => {
    let broken = true;
    const job = defineJob({
      name: 'job',
      handle() {
        if (broken) throw new Error('boom');
      },
    });
    const queue = createQueue({
      default: 'sync',
      connections: { sync: sync(), graves: memory() },
      failed: { connection: 'graves' },
    });
    await expect(queue.push(job, 5, { id: 'mine' })).rejects.toThrow('boom');
    const failed = await queue.failed.list();
    expect(failed).toMatchObject([
      { connection: 'sync', jobId: 'mine', message: 'boom', reason: 'max-tries' },
    ]);
    await expect(queue.failed.retry(failed)).rejects.toThrow('boom');
    expect(await queue.failed.list()).toHaveLength(1);
    broken = false;
    await queue.failed.retry(await queue.failed.list());
    expect(await queue.failed.list()).toEqual([]);
  });

  test('is kept nowhere otherwise, and nothing is left behind', async () => {
    const { queue, job } = setUp(() => Promise.reject(new Error('boom')));
    await expect(queue.push(job)).rejects.toThrow('boom');
    expect(await queue.failed.list()).toEqual([]);
    expect(await queue.size()).toEqual(empty);
    expect(await queue.clear()).toEqual(empty);
  });
});

describe('bulk on a sync connection', () => {
  test('runs all jobs in order, also after one that failed, then throws its error', async () => {
    const ran: unknown[] = [];
    const { queue, job } = setUp(({ data }) => {
      ran.push(data);
      if (data === 2) throw new Error(`boom ${data}`);
    });
    await expect(queue.bulk(job, [1, 2, 3])).rejects.toThrow('boom 2');
    expect(ran).toEqual([1, 2, 3]);
  });

  test('throws the errors of several together', async () => {
    const { queue, job } = setUp(({ data }) => {
      if (data !== 2) throw new Error(`boom ${data}`);
    });
    const error = await queue.bulk(job, [1, 2, 3]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      message: '2 of 3 jobs failed',
      errors: [{ message: 'boom 1' }, { message: 'boom 3' }],
    });
  });

  test('answers all ids where none failed', async () => {
    const { queue, job } = setUp(() => {});
    expect(await queue.bulk(job, [1, 2, 3])).toHaveLength(3);
  });
});
