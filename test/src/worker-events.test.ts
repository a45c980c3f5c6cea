import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { QueueEvents } from '../../src/events.js';
import {
  createQueue,
  defineJob,
  type JobContext,
  type JobEvent,
  type Queue,
  type QueueEvent,
  silentLogger,
  type WorkerEvent,
} from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { faulty, storeCorrupt } from '../support/faulty-driver.js';
import { workOff } from '../support/recorder.js';
import { unhandledDuring } from '../support/unhandled.js';

function setUp(handle: (context: JobContext<unknown>) => unknown = () => {}) {
  const driver = faulty(memory());
  const job = defineJob({ name: 'job', tries: 1, handle });
  const queue = createQueue({ connections: { main: driver }, jobs: [job] });
  return { driver, job, queue };
}

function workerEvents(queue: Queue): WorkerEvent[] {
  const events: WorkerEvent[] = [];
  queue.events.on('worker:*', (event) => events.push(event));
  return events;
}

/** Resolves at the next event of a name. */
function next(queue: Queue, name: QueueEvent['event']): Promise<unknown> {
  return new Promise((resolve) => {
    const off = queue.events.on(name, (event) => {
      off();
      resolve(event);
    });
  });
}

const who = { pid: process.pid, connection: 'main', queues: ['high', 'low'] };

describe('a worker tells', () => {
  test('when it started, and why it stopped', async () => {
    const { queue } = setUp();
    const events = workerEvents(queue);
    await queue.worker({ queues: ['high', 'low'], concurrency: 3, once: true }).run();
    expect(events).toEqual([
      { event: 'worker:started', ...who, concurrency: 3 },
      { event: 'worker:stopped', ...who, reason: 'empty' },
    ]);
  });

  test('of the error that ended it', async () => {
    const { queue, driver } = setUp();
    const events = workerEvents(queue);
    driver.faults.refuse('reserve', storeCorrupt());
    await expect(queue.worker().run()).rejects.toThrow('corrupt');
    const error = { code: 'E_STORE_CORRUPT', message: 'the store is corrupt' };
    expect(events.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'error', error });
  });

  test('that it stopped only once its jobs are settled', async () => {
    const { queue, job } = setUp();
    const names: string[] = [];
    queue.events.on('*', ({ event }) => names.push(event));
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(names).toEqual(['queue:pushed', 'worker:started', 'job:started', 'job:done', 'worker:stopped']);
  });

  test('that it fell idle, once each time and not at each look', async () => {
    const { queue, job, driver } = setUp();
    const events = workerEvents(queue);
    const stop = new AbortController();
    const idle = next(queue, 'worker:idle');
    const run = queue.worker({ sleep: '1ms' }).run(stop.signal);
    await idle;
    await driver.faults.called('reserve', 5);
    const again = next(queue, 'worker:idle');
    await queue.push(job);
    await again;
    await driver.faults.called('reserve', 5);
    stop.abort();
    await run;
    expect(events.map(({ event }) => event)).toEqual([
      'worker:started',
      'worker:idle',
      'worker:idle',
      'worker:stopped',
    ]);
  });

  test('no idleness while a job runs', async () => {
    const goOn = deferred();
    const started = deferred();
    const { queue, job, driver } = setUp(async () => {
      started.resolve();
      await goOn.promise;
    });
    const events = workerEvents(queue);
    const stop = new AbortController();
    await queue.push(job);
    const run = queue.worker({ sleep: '1ms', concurrency: 2 }).run(stop.signal);
    await started.promise;
    await driver.faults.called('reserve', 3);
    expect(events.map(({ event }) => event)).toEqual(['worker:started']);
    const idle = next(queue, 'worker:idle');
    goOn.resolve();
    await idle;
    stop.abort();
    await run;
  });

  test('of each change to paused and back', async () => {
    const { queue } = setUp();
    const events = workerEvents(queue);
    const worker = queue.worker();
    worker.resume();
    worker.pause();
    worker.pause();
    worker.resume();
    worker.resume();
    expect(events).toMatchObject([
      { event: 'worker:paused', paused: ['default'], maintenance: false },
      { event: 'worker:resumed' },
    ]);
  });
});

describe('a job in the middle of its attempt', () => {
  const record = (queue: Queue): JobEvent[] => {
    const events: JobEvent[] = [];
    queue.events.on('job:*', (event) => events.push(event));
    return events;
  };
  const names = (events: readonly JobEvent[]) => events.map(({ event }) => event);

  test('an exception is told before what becomes of the job', async () => {
    const { queue, job } = setUp(() => Promise.reject(new RangeError('boom')));
    const events = record(queue);
    await queue.push(job);
    await workOff(queue);
    expect(names(events)).toEqual(['job:started', 'job:exception', 'job:failed']);
    const durationMs = expect.any(Number);
    expect(events[1]).toMatchObject({ name: 'job', attempts: 1, durationMs, error: { class: 'RangeError' } });
  });

  test('an exception after the job was settled is told all the same', async () => {
    const { queue, job } = setUp(async ({ job: own }) => {
      await own.delete();
      throw new RangeError('boom');
    });
    const events = record(queue);
    await queue.push(job);
    await workOff(queue);
    expect(names(events)).toEqual(['job:started', 'job:exception', 'job:done']);
  });

  test('a timeout is told when it comes, and what the handler throws for it is no exception', async () => {
    const { queue, job } = setUp(
      ({ job: own }) =>
        new Promise((_, reject) => own.signal.addEventListener('abort', () => reject(own.signal.reason))),
    );
    const events = record(queue);
    await queue.push(job);
    await workOff(queue, { timeout: '5ms' });
    expect(names(events)).toEqual(['job:started', 'job:timed-out', 'job:failed']);
    expect(events[1]).toMatchObject({ timeoutMs: 5, durationMs: expect.any(Number) });
  });

  test('data that its schema refuses is no exception of a handler that never saw it', async () => {
    const driver = faulty(memory());
    const refusing = {
      '~standard': { version: 1 as const, vendor: 'x', validate: () => ({ issues: [{ message: 'no' }] }) },
    };
    const job = defineJob({ name: 'job', input: refusing, handle: () => {} });
    const queue = createQueue({ connections: { main: driver }, jobs: [job] });
    const events = record(queue);
    await driver.store.push('default', [
      { id: 'a', body: '{"job":"job","maxTries":null,"timeout":null,"data":null,"id":"a","attempts":0}' },
    ]);
    await workOff(queue);
    expect(names(events)).toEqual(['job:failed']);
  });
});

describe('listeners', () => {
  test.each<[string, () => unknown]>([
    [
      'throw',
      () => {
        throw new Error('listener broke');
      },
    ],
    ['reject', () => Promise.reject(new Error('listener broke'))],
    ['never end', () => new Promise(() => {})],
  ])('that %s on every event break nothing', async (_, listener) => {
    const { queue, job } = setUp(({ data }) => data === 'bad' && Promise.reject(new Error('boom')));
    queue.events.on('*', listener);
    await queue.bulk(job, ['good', 'bad']);
    expect(
      await unhandledDuring(async () => {
        await queue.monitor({ max: 0 });
        const worker = queue.worker({ stopWhenEmpty: true, sleep: '1ms' });
        worker.pause();
        worker.resume();
        expect(await worker.run()).toBe('empty');
      }),
    ).toEqual([]);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    expect(await queue.failed.list()).toHaveLength(1);
  });

  test('where there is none, nothing is made', () => {
    const events = new QueueEvents(silentLogger);
    const asked: QueueEvent['event'][] = ['job:done', 'worker:idle', 'queue:busy'];
    expect(asked.map((name) => events.isHeard(name))).toEqual([false, false, false]);
    const offs = [events.on('job:*', () => {}), events.on('worker:idle', () => {})];
    expect(asked.map((name) => events.isHeard(name))).toEqual([true, true, false]);
    for (const off of offs) off();
    expect(asked.map((name) => events.isHeard(name))).toEqual([false, false, false]);
  });

  test('where there is none, the error of a job is not described', async () => {
    let reads = 0;
    const error = new Error('boom');
    expect(error.stack).toContain('boom'); // made when it is first asked for, of the message
    Object.defineProperty(error, 'message', {
      get: () => {
        reads += 1;
        return 'boom';
      },
    });
    const readsOf = async (listen: boolean): Promise<number> => {
      const { queue, job } = setUp(() => Promise.reject(error));
      if (listen) queue.events.on('job:failed', () => {});
      await queue.push(job);
      reads = 0;
      await workOff(queue);
      return reads;
    };
    const unheard = await readsOf(false);
    expect(await readsOf(true)).toBe(unheard + 1);
  });
});
