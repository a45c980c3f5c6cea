import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { type Connector, createQueue, defineJob, type JobContext, type JobSource } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';

function setUp(handle: (context: JobContext<string>) => unknown, without: (keyof Connector)[] = []) {
  const driver = faulty(memory(), without);
  const logger = recordingLogger();
  const job = defineJob({ name: 'job', handle });
  const jobs: JobSource[] = [job];
  const queue = createQueue({ connections: { default: driver }, jobs, logger });
  return { driver, logger, job, queue, events: recordEvents(queue), stop: new AbortController() };
}

/** Resolves when the signal aborts, with its reason. */
function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('a worker that is told to stop', () => {
  test('lets running jobs end and takes no more', async () => {
    const goOn = deferred();
    const { queue, job, events, stop, driver } = setUp(async ({ data, signal }) => {
      if (data === 'b') stop.abort();
      await goOn.promise;
      expect(signal.aborted).toBe(false);
    });
    await queue.bulk(job, ['a', 'b', 'c', 'd']);
    const run = queue.worker({ concurrency: 2, shutdownTimeout: '10s' }).run(stop.signal);
    await within(
      new Promise((resolve) => stop.signal.addEventListener('abort', resolve)),
      'the start of both',
    );
    const reserves = driver.faults.calls('reserve');
    goOn.resolve();
    expect(await run).toBe('signal');
    expect(namesOf(events)).toEqual(['job:started', 'job:started', 'job:done', 'job:done']);
    expect(await queue.size()).toEqual({ ...empty, ready: 2 });
    expect(driver.faults.calls('reserve')).toBe(reserves);
  });

  test.each([{ once: true }, { maxJobs: 1 }, { stopWhenEmpty: true }])(
    'by %j: lets its job take longer than shutdownTimeout',
    async (limit) => {
      const { queue, job, events } = setUp(async ({ signal }) => {
        await pause(60);
        signal.throwIfAborted();
      });
      await queue.push(job, 'a');
      await queue.worker({ ...limit, shutdownTimeout: '10ms', grace: '10ms' }).run();
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    },
  );

  test('after one job, then told to stop: aborts that job after shutdownTimeout', async () => {
    const { queue, job, events, stop } = setUp(async ({ signal }) => {
      setTimeout(() => stop.abort(), 30);
      throw await aborted(signal);
    });
    await queue.push(job, 'a');
    expect(await queue.worker({ once: true, shutdownTimeout: '10ms' }).run(stop.signal)).toBe('once');
    expect(namesOf(events)).toEqual(['job:started', 'job:given-back']);
  });

  test('aborts what goes on after shutdownTimeout, and gives it back unspent, in its place', async () => {
    const { queue, job, events, stop, driver } = setUp(async ({ signal }) => {
      stop.abort();
      throw await aborted(signal);
    });
    await queue.push(job, 'a', { id: 'first' });
    await queue.push(job, 'b', { id: 'second' });
    expect(await queue.worker({ shutdownTimeout: '10ms' }).run(stop.signal)).toBe('signal');
    expect(namesOf(events)).toEqual(['job:started', 'job:given-back']);
    expect(await driver.store.reserve(['default'], 2, 90_000)).toMatchObject([
      { id: 'first', attempts: 1 },
      { id: 'second', attempts: 1 },
    ]);
  });

  test('tells the handler why', async () => {
    const reason = deferred<unknown>();
    const { queue, job, stop } = setUp(async ({ signal }) => {
      stop.abort();
      reason.resolve(await aborted(signal));
      throw new Error('interrupted');
    });
    await queue.push(job, 'a');
    await queue.worker({ shutdownTimeout: 0 }).run(stop.signal);
    expect(await reason.promise).toMatchObject({ name: 'QueueError', code: 'E_STOPPED' });
  });

  test('takes the return of an interrupted handler as done', async () => {
    const { queue, job, events, stop } = setUp(async ({ signal }) => {
      stop.abort();
      await aborted(signal);
    });
    await queue.push(job, 'a');
    await queue.worker({ shutdownTimeout: '10ms' }).run(stop.signal);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(await queue.size()).toEqual(empty);
  });

  test('gives the job of a handler that ignores its abort back after the grace, and ends', async () => {
    const { queue, job, events, stop } = setUp(() => {
      stop.abort();
      return new Promise(() => {});
    });
    await queue.push(job, 'a');
    const run = queue.worker({ shutdownTimeout: '10ms', grace: '10ms' }).run(stop.signal);
    expect(await within(run, 'the stop')).toBe('signal');
    expect(namesOf(events)).toEqual(['job:started', 'job:given-back']);
    expect(await queue.size()).toEqual({ ...empty, ready: 1 });
  });

  test('lets a handler settle its job when it is interrupted', async () => {
    const { queue, job, events, stop } = setUp(async ({ job, signal }) => {
      stop.abort();
      await aborted(signal);
      await job.release(60);
      signal.throwIfAborted();
    });
    await queue.push(job, 'a');
    await queue.worker({ shutdownTimeout: '10ms' }).run(stop.signal);
    expect(namesOf(events)).toEqual(['job:started', 'job:released']);
    expect(await queue.size()).toEqual({ ...empty, delayed: 1 });
  });

  test('gives back with the attempt spent where the store cannot do otherwise', async () => {
    const { queue, job, events, stop, driver } = setUp(
      async ({ signal }) => {
        stop.abort();
        throw await aborted(signal);
      },
      ['unreserve'],
    );
    await queue.push(job, 'a');
    await queue.worker({ shutdownTimeout: '10ms' }).run(stop.signal);
    expect(namesOf(events)).toEqual(['job:started', 'job:given-back']);
    expect(await driver.store.reserve(['default'], 1, 90_000)).toMatchObject([{ attempts: 2 }]);
  });

  test('starts no handler for a job whose data is still being checked', async () => {
    const checking = deferred();
    const checked = deferred<{ value: string }>();
    let runs = 0;
    let pushed = false;
    const { stop } = setUp(() => {});
    const input = {
      '~standard': {
        version: 1 as const,
        vendor: 'slow',
        validate: (value: unknown) => {
          if (!pushed) return { value: value as string };
          checking.resolve();
          return checked.promise;
        },
      },
    };
    const slow = defineJob({ name: 'slow', input, handle: () => runs++ });
    const queue = createQueue({ connections: { default: memory() }, jobs: [slow] });
    const events = recordEvents(queue);
    await queue.push('slow', 'a');
    pushed = true;
    const run = queue.worker({ shutdownTimeout: 0, grace: '10ms' }).run(stop.signal);
    await checking.promise;
    stop.abort();
    // After the worker has given up waiting for the jobs under way.
    await new Promise((resolve) => setTimeout(resolve, 20));
    checked.resolve({ value: 'a' });
    expect(await within(run, 'the stop')).toBe('signal');
    expect(runs).toBe(0);
    expect(namesOf(events)).not.toContain('job:started');
  });

  test('ends also where the check of data never does', async () => {
    const checking = deferred();
    const { stop } = setUp(() => {});
    let pushed = false;
    const validate = (value: unknown) => {
      if (!pushed) return { value: value as string };
      checking.resolve();
      return new Promise<{ value: string }>(() => {});
    };
    const input = { '~standard': { version: 1 as const, vendor: 'stuck', validate } };
    const job = defineJob({ name: 'job', input, handle() {} });
    const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
    await queue.push('job', 'a');
    pushed = true;
    const run = queue.worker({ shutdownTimeout: '10ms', grace: '10ms' }).run(stop.signal);
    await checking.promise;
    stop.abort();
    expect(await within(run, 'the stop')).toBe('signal');
  });
});

test('a failed hook that never ends holds a stop up no longer than a handler may', async () => {
  const { stop } = setUp(() => {});
  const hooked = deferred();
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      throw new Error('boom');
    },
    failed() {
      hooked.resolve();
      return new Promise(() => {});
    },
  });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
  await queue.push(job);
  const run = queue.worker({ shutdownTimeout: '10ms', grace: '10ms' }).run(stop.signal);
  await hooked.promise;
  stop.abort();
  expect(await within(run, 'the stop')).toBe('signal');
  expect(await queue.failed.list()).toHaveLength(1);
});

test('a check of data for a failed hook that never ends holds nothing up either', async () => {
  const { stop } = setUp(() => {});
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const checking = deferred();
  const validate = () => {
    checking.resolve();
    return new Promise<{ value: string }>(() => {});
  };
  const input = { '~standard': { version: 1 as const, vendor: 'stuck', validate } };
  const job = defineJob({ name: 'job', tries: 1, input, handle() {}, failed() {} });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  await driver.store.push('default', [{ id: 'x', body: '{"job":"job","data":"a"}' }]);
  // Its one try was a worker's that vanished: it is failed, and its hook called, without a run.
  await driver.store.reserve(['default'], 1, 90_000);
  clock.advance(90_000);
  const run = queue.worker({ shutdownTimeout: '10ms', grace: '10ms' }).run(stop.signal);
  await within(checking.promise, 'the check');
  stop.abort();
  expect(await within(run, 'the stop')).toBe('signal');
});

test('a new worker goes on where the last one stopped', async () => {
  const { queue, job, events, stop } = setUp(async ({ job, signal }) => {
    if (stop.signal.aborted) return expect(job.attempts()).toBe(1);
    stop.abort();
    throw await aborted(signal);
  });
  await queue.push(job, 'a');
  await queue.worker({ shutdownTimeout: '5ms' }).run(stop.signal);
  await workOff(queue);
  expect(namesOf(events)).toEqual(['job:started', 'job:given-back', 'job:started', 'job:done']);
});
