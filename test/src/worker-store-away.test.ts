import { afterEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { type Connector, createQueue, defineJob, type JobContext } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty, storeAway, storeCorrupt } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';

afterEach(() => vi.useRealTimers());

function setUp(
  handle: (context: JobContext<unknown>) => unknown = () => {},
  without: (keyof Connector)[] = [],
) {
  const driver = faulty(memory({ lease: '1s' }), without);
  const job = defineJob({ name: 'job', tries: 2, backoff: 0, handle });
  const logger = recordingLogger();
  const worker = { timeout: '500ms', grace: '100ms' } as const;
  const queue = createQueue({ connections: { default: driver }, jobs: [job], worker, logger });
  return { driver, job, queue, logger, events: recordEvents(queue), stop: new AbortController() };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('a store that is away for a while', () => {
  test('when jobs are looked for: the worker says so and tries again', async () => {
    const { queue, job, driver, logger, events } = setUp();
    driver.faults.refuse('reserve', storeAway(), 3);
    const back: { readonly awayMs: number }[] = [];
    queue.events.on('worker:store-back', (event) => back.push(event));
    await queue.push(job);
    expect(await workOff(queue)).toBe('empty');
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(back).toEqual([
      expect.objectContaining({ event: 'worker:store-back', awayMs: expect.any(Number) }),
    ]);
    const over = logger.lines.filter(({ message }) => message === 'the store answers again');
    expect(over).toMatchObject([{ level: 'info', fields: { awayMs: back[0]?.awayMs } }]);
    const told = logger.lines.filter((line) => line.message === 'the store does not answer; trying again');
    expect(told).toHaveLength(3);
    expect(told.every((line) => line.level === 'warn' && Number(line.fields.waitMs) >= 80)).toBe(true);
  });

  test('when the worker waits for a job', async () => {
    const { queue, job, driver, stop } = setUp(() => stop.abort());
    driver.faults.refuse('waitForJob', storeAway(), 2);
    const run = queue.worker({ sleep: '1h' }).run(stop.signal);
    await driver.faults.called('waitForJob', 3);
    await queue.push(job);
    expect(await within(run, 'the stop')).toBe('signal');
  });

  test('when the worker asks whether anything is left', async () => {
    const { queue, driver } = setUp();
    driver.faults.refuse('size', storeAway(), 2);
    expect(await within(workOff(queue), 'the stop')).toBe('empty');
    expect(driver.faults.calls('size')).toBe(3);
  });

  test('does not keep a worker from stopping', async () => {
    const { queue, driver, stop } = setUp();
    driver.faults.away('reserve');
    const run = queue.worker().run(stop.signal);
    await driver.faults.called('reserve', 2);
    stop.abort();
    expect(await within(run, 'the stop')).toBe('signal');
  });

  test('ends a worker that stops by itself after half a minute, with the error', async () => {
    vi.useFakeTimers();
    for (const options of [{ once: true }, { stopWhenEmpty: true }]) {
      const { queue, driver } = setUp();
      driver.faults.away('reserve');
      const run = queue.worker(options).run();
      const outcome = run.then(
        () => 'ended',
        (error: unknown) => error,
      );
      await vi.advanceTimersByTimeAsync(25_000);
      expect(await Promise.race([outcome, 'still trying'])).toBe('still trying');
      await vi.advanceTimersByTimeAsync(20_000);
      expect(await Promise.race([outcome, 'still trying'])).toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    }
  });
});

describe('a store that is away when a job is to be settled', () => {
  const ends: [verb: 'delete' | 'release' | 'fail', end: string, runs: number][] = [
    ['delete', 'job:done', 1],
    ['release', 'job:released', 1],
    ['fail', 'job:failed', 2],
  ];
  const handleFor = (verb: string) => () => {
    if (verb !== 'delete') throw new Error('boom');
  };

  test.each(ends)(
    '%s is repeated until it is done; the handler is not run again',
    async (verb, end, runs) => {
      const { queue, job, driver, events } = setUp(handleFor(verb));
      driver.faults.refuse(verb, storeAway(), 3);
      await queue.push(job);
      await queue.worker({ maxJobs: runs }).run();
      expect(events.at(-1)?.event).toBe(end);
      expect(namesOf(events).filter((name) => name === 'job:started')).toHaveLength(runs);
      expect(driver.faults.calls(verb)).toBe(4);
    },
  );

  test.each(ends)('%s done without a reply is done, and told as such', async (verb, end, runs) => {
    const { queue, job, driver, events } = setUp(handleFor(verb));
    driver.faults.cut(verb);
    await queue.push(job);
    await queue.worker({ maxJobs: runs }).run();
    expect(events.at(-1)?.event).toBe(end);
  });

  test('giving back is repeated as well, within the grace', async () => {
    const { queue, job, driver, events, stop } = setUp(({ signal }) => {
      stop.abort();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    driver.faults.refuse('unreserve');
    await queue.push(job);
    await queue.worker({ shutdownTimeout: '10ms', grace: '400ms' }).run(stop.signal);
    expect(events.at(-1)?.event).toBe('job:given-back');
    expect(await driver.store.reserve(['default'], 1, 90_000)).toMatchObject([{ attempts: 1 }]);
  });

  test('a job failed without a reply has its failed hook called', async () => {
    const hooked: unknown[] = [];
    const driver = faulty(memory());
    const job = defineJob({
      name: 'job',
      tries: 1,
      handle() {
        throw new Error('boom');
      },
      failed: ({ error }) => hooked.push((error as Error).message),
    });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    driver.faults.cut('fail');
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(await queue.failed.list()).toHaveLength(1);
    expect(hooked).toEqual(['boom']);
  });

  test('for longer than a lease leaves the job to its lease, and the worker goes on', async () => {
    let runs = 0;
    const clock = manualClock();
    const driver = faulty(memory({ lease: '200ms', clock }));
    const job = defineJob({ name: 'job', tries: 5, handle: () => runs++ });
    const worker = { timeout: '50ms', grace: '50ms' } as const;
    const queue = createQueue({ connections: { default: driver }, jobs: [job], worker });
    const events = recordEvents(queue);
    driver.faults.away('delete');
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:unsettled']);
    driver.faults.back();
    clock.advance(200);
    const stop = new AbortController();
    queue.events.on('job:done', () => stop.abort());
    await within(queue.worker().run(stop.signal), 'the second run');
    expect(runs).toBe(2);
    expect(await queue.size()).toEqual(empty);
  });

  test('makes a stopping worker wait no longer than its shutdown and its grace', async () => {
    const settling = deferred();
    const { queue, job, driver, events, stop } = setUp();
    driver.faults.away('delete');
    void driver.faults.called('delete', 2).then(settling.resolve);
    await queue.push(job);
    const run = queue.worker({ shutdownTimeout: '10ms', grace: '10ms' }).run(stop.signal);
    await settling.promise;
    stop.abort();
    expect(await within(run, 'the stop', 900)).toBe('signal');
    expect(namesOf(events)).toEqual(['job:started', 'job:unsettled']);
    expect((await queue.size()).reserved).toBe(1);
  });

  test('prints no warning of Node, however many jobs wait for it', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { queue, job, driver } = setUp(async ({ data }) => {
      for (let turn = 0; turn < Number(data); turn++) await new Promise(setImmediate);
    });
    driver.faults.refuse('delete', storeAway(), 30);
    await queue.bulk(
      job,
      Array.from({ length: 30 }, (_, index) => index * 2),
    );
    await workOff(queue, { concurrency: 30 });
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('an error that trying again does not mend', () => {
  test.each<[string, Error]>([
    ['a store that is corrupt', storeCorrupt()],
    ['a fault in a driver', new TypeError('undefined is not a function')],
  ])('ends the run with it, after the running jobs: %s', async (_, error) => {
    const goOn = deferred();
    const { queue, job, driver, events } = setUp(() => goOn.promise);
    await queue.push(job);
    driver.faults.next('reserve', (call) => call());
    driver.faults.refuse('reserve', error);
    const run = queue.worker({ concurrency: 2, sleep: '1ms' }).run();
    const seen = run.catch((thrown: unknown) => thrown);
    await driver.faults.called('reserve', 2);
    goOn.resolve();
    expect(await within(seen, 'the end')).toBe(error);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test.each(['waitForJob', 'size'] as const)('also when it comes from %s', async (verb) => {
    const { queue, driver } = setUp();
    const error = storeCorrupt();
    driver.faults.refuse(verb, error);
    const options = verb === 'size' ? { stopWhenEmpty: true } : { sleep: '1h' };
    await expect(within(queue.worker(options as object).run(), 'the end')).rejects.toBe(error);
  });

  test('when one job is settled leaves that job to its lease, and the worker goes on', async () => {
    const { queue, job, driver, events, logger } = setUp();
    driver.faults.refuse('delete', storeCorrupt());
    await queue.bulk(job, [1, 2]);
    expect(await workOff(queue)).toBe('empty');
    expect(namesOf(events)).toEqual(['job:started', 'job:unsettled', 'job:started', 'job:done']);
    expect(events[1]).toMatchObject({ error: { class: 'QueueError', message: 'the store is corrupt' } });
    expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
    expect(logger.lines).toMatchObject([
      { level: 'error', message: 'could not delete the job; it runs again when its lease lapses' },
    ]);
  });
});

test('a reply to a reserve that is lost loses no job: it runs when its lease has lapsed', async () => {
  const { queue, job, driver, events, stop } = setUp(({ job }) => {
    expect(job.attempts()).toBe(2);
    stop.abort();
  });
  driver.faults.cut('reserve');
  await queue.push(job);
  expect(await within(queue.worker().run(stop.signal), 'the run')).toBe('signal');
  expect(namesOf(events)).toEqual(['job:started', 'job:done']);
});
