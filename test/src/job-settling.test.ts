import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Job, type JobContext, type ReservedJob } from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { faulty, storeCorrupt } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';
import { unhandledDuring } from '../support/unhandled.js';

function setUp(handle: (context: JobContext<unknown>) => unknown, settings: object = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const logger = recordingLogger();
  const job = defineJob({ name: 'the.job', tries: 3, backoff: 10, handle, ...settings });
  const queue = createQueue({ connections: { default: driver }, jobs: [job], logger });
  /** Lets the lease lapse and takes the job, as another worker would. */
  const takeAway = async (): Promise<ReservedJob> => {
    clock.advance(90_000);
    const [taken] = await driver.store.reserve(['default'], 1, 90_000);
    return taken as ReservedJob;
  };
  return { clock, driver, logger, job, queue, events: recordEvents(queue), takeAway };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };
const verbs: [verb: string, end: string, call: (job: Job) => Promise<void>][] = [
  ['delete', 'job:done', (job) => job.delete()],
  ['release', 'job:released', (job) => job.release(60)],
  ['fail', 'job:failed', (job) => job.fail(new Error('failed'))],
];

describe.each(verbs)('after %s', (verb, end, call) => {
  test('an error of the handler changes nothing and is logged once', async () => {
    const { queue, job, events, logger } = setUp(async ({ job }) => {
      await call(job);
      throw new RangeError('afterwards');
    });
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', end]);
    expect(await queue.size()).toEqual({ ...empty, delayed: verb === 'release' ? 1 : 0 });
    expect(await queue.failed.list()).toHaveLength(verb === 'fail' ? 1 : 0);
    const told = logger.lines.filter((line) => JSON.stringify(line).includes('afterwards'));
    expect(told).toMatchObject([{ level: 'warn', fields: { id: 'mine', err: { class: 'RangeError' } } }]);
  });

  test('a timeout changes nothing', async () => {
    const { queue, job, events } = setUp(
      async ({ job, signal }) => {
        await call(job);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        signal.throwIfAborted();
      },
      { timeout: '20ms' },
    );
    await queue.push(job);
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', end]);
  });
});

describe.each(verbs)('%s that is not awaited', (verb, end, call) => {
  test('is honoured, also when the handler throws and the store is slow', async () => {
    for (const throws of [false, true]) {
      const { queue, job, events, driver } = setUp(({ job }) => {
        void call(job);
        if (throws) throw new Error('boom');
      });
      const slow = driver.faults.hold(verb as 'delete' | 'release' | 'fail');
      void slow.reached.then(() => setImmediate(slow.letGo));
      await queue.push(job);
      await workOff(queue);
      expect(namesOf(events)).toEqual(['job:started', end]);
      expect(driver.faults.calls(verb as 'delete')).toBe(1);
    }
  });

  test('does not end the process when the store refuses: the attempt settles the job', async () => {
    const { queue, job, events, driver } = setUp(({ job }) => {
      void call(job);
    });
    driver.faults.refuse(verb as 'delete' | 'release' | 'fail', storeCorrupt());
    await queue.push(job);
    expect(await unhandledDuring(() => workOff(queue))).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(await queue.size()).toEqual(empty);
  });

  test('does not end the process when the lease was lost', async () => {
    const { queue, job, events, takeAway } = setUp(async ({ job }) => {
      await takeAway();
      void call(job);
    });
    await queue.push(job);
    expect(await unhandledDuring(() => queue.worker({ once: true }).run())).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
  });

  test('does not end the process when it was the second', async () => {
    const { queue, job, events } = setUp(({ job }) => {
      void call(job);
      void job.delete();
    });
    await queue.push(job);
    expect(await unhandledDuring(() => workOff(queue))).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', end]);
  });
});

describe.each(verbs)('%s by a holder whose lease was lost', (_, __, call) => {
  test('throws, changes nothing, and aborts the signal', async () => {
    let taken: ReservedJob | undefined;
    const { queue, job, events, driver, takeAway } = setUp(async ({ job, signal }) => {
      taken = await takeAway();
      await expect(call(job)).rejects.toMatchObject({ code: 'E_LEASE_LOST' });
      expect([job.isDeleted(), job.isReleased(), job.hasFailed()]).toEqual([false, false, false]);
      expect(signal.reason).toMatchObject({ code: 'E_LEASE_LOST' });
      // And so does every verb after it.
      for (const [, , again] of verbs)
        await expect(again(job)).rejects.toMatchObject({ code: 'E_LEASE_LOST' });
      signal.throwIfAborted();
    });
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect(await queue.failed.list()).toEqual([]);
    expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
    expect(taken?.attempts).toBe(2);
    expect(await driver.store.delete([taken?.lease as never])).toEqual([true]);
  });
});

describe('a verb that the store refuses', () => {
  test('throws what the store said, and may be called again', async () => {
    const { queue, job, events, driver } = setUp(async ({ job }) => {
      await expect(job.delete()).rejects.toMatchObject({ code: 'E_STORE_CORRUPT' });
      expect(job.isDeleted()).toBe(false);
      await job.release(60);
    });
    driver.faults.refuse('delete', storeCorrupt());
    await queue.push(job);
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:released']);
  });

  test('only for a while is repeated until it is done', async () => {
    const { queue, job, events, driver } = setUp(({ job }) => job.delete());
    driver.faults.refuse('delete');
    await queue.push(job);
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(driver.faults.calls('delete')).toBe(2);
  });
});

describe('ack manual', () => {
  test('leaves the job reserved until its lease lapses, and each return is an attempt', async () => {
    const attempts: number[] = [];
    const { queue, job, events, clock } = setUp(({ job }) => void attempts.push(job.attempts()), {
      ack: 'manual',
    });
    await queue.push(job);
    await workOff(queue);
    expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
    clock.advance(89_999);
    await workOff(queue);
    expect(attempts).toEqual([1]);
    clock.advance(1);
    await workOff(queue);
    expect(attempts).toEqual([1, 2]);
    expect(namesOf(events)).toEqual(['job:started', 'job:kept', 'job:started', 'job:kept']);
  });

  test('still deletes, releases or fails when told to, and tries again when the handler throws', async () => {
    for (const [, end, call] of verbs) {
      const { queue, job, events } = setUp(({ job }) => call(job), { ack: 'manual' });
      await queue.push(job);
      await workOff(queue);
      expect(namesOf(events)).toEqual(['job:started', end]);
    }
    const { queue, job, events } = setUp(() => Promise.reject(new Error('boom')), { ack: 'manual' });
    await queue.push(job);
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:released']);
  });
});

describe('a verb called after the attempt ended throws and changes nothing', () => {
  test.each<[string, object, string]>([
    ['by a return', {}, 'E_JOB_ALREADY_SETTLED'],
    ['by a return with ack manual', { ack: 'manual' }, 'E_JOB_ALREADY_SETTLED'],
  ])('%s', async (_, settings, code) => {
    let kept: Job | undefined;
    const { queue, job, driver } = setUp(({ job }) => {
      kept = job;
    }, settings);
    await queue.push(job);
    await workOff(queue);
    const before = await queue.size();
    for (const [, , call] of verbs) await expect(call(kept as Job)).rejects.toMatchObject({ code });
    expect(await queue.size()).toEqual(before);
    expect(driver.faults.calls('release') + driver.faults.calls('fail')).toBe(0);
  });

  test('by a timeout that the handler ignored', async () => {
    const goOn = deferred();
    const late = deferred<unknown>();
    const { queue, job } = setUp(
      async ({ job }) => {
        await goOn.promise;
        late.resolve(await job.delete().catch((error: unknown) => error));
      },
      { timeout: '10ms' },
    );
    await queue.push(job);
    expect(await queue.worker({ grace: '10ms' }).run()).toBe('stuck');
    goOn.resolve();
    expect(await late.promise).toMatchObject({ code: 'E_JOB_ALREADY_SETTLED' });
    expect(await queue.size()).toEqual({ ...empty, delayed: 1 });
  });

  test('by a lost lease that the handler ignored', async () => {
    const goOn = deferred();
    const late = deferred<unknown>();
    const driver = faulty(memory({ lease: '150ms' }));
    const job = defineJob({
      name: 'the.job',
      async handle({ job }) {
        await goOn.promise;
        late.resolve(await job.delete().catch((error: unknown) => error));
      },
    });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    const events = recordEvents(queue);
    // Nobody takes the job, so the store would still grant the delete.
    driver.faults.away('extend');
    await queue.push(job);
    expect(await queue.worker({ timeout: 0, grace: '10ms' }).run()).toBe('stuck');
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    goOn.resolve();
    expect(await late.promise).toMatchObject({ name: 'QueueError' });
    const { ready, reserved } = await queue.size();
    expect(ready + reserved).toBe(1);
  });
});
