import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type QueueConfig, type ReservedJob } from '../../src/index.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents } from '../support/recorder.js';

/** A job that fails on its one try, in a store that can lose its lease. */
function setUp(config: Partial<QueueConfig> = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const graves = faulty(memory({ clock }));
  const hooked: string[] = [];
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      throw new Error('boom');
    },
    failed: ({ error }) => hooked.push((error as Error).message),
  });
  const queue = createQueue({
    default: 'main',
    connections: { main: driver, graves },
    jobs: [job],
    ...config,
  });
  /** The store is not reached; by the next try another worker has the job. */
  const awayAndTaken = async () => {
    clock.advance(90_000);
    taken.push(...(await driver.store.reserve(['default'], 1, 90_000)));
    throw storeAway();
  };
  const taken: ReservedJob[] = [];
  return { driver, graves, job, queue, hooked, taken, awayAndTaken, events: recordEvents(queue) };
}

describe('a job whose lease was lost while its store was away', () => {
  test.each<[string, Partial<QueueConfig>, 'fail' | 'extend']>([
    ['in the same store', {}, 'fail'],
    ['in another store', { failed: { connection: 'graves' } }, 'extend'],
  ])('is not told as failed where no failure is on record %s', async (_, config, verb) => {
    const { driver, job, queue, hooked, taken, awayAndTaken, events } = setUp(config);
    driver.faults.next(verb, awayAndTaken);
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(await queue.failed.list()).toEqual([]);
    expect(hooked).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect(await driver.store.delete(taken.map((job) => job.lease))).toEqual([true]);
  });
});

describe('a failure that is on record, though the reply was lost', () => {
  test.each<[string, Partial<QueueConfig>, 'fail' | 'delete']>([
    ['in the same store', {}, 'fail'],
    ['in another store', { failed: { connection: 'graves' } }, 'delete'],
  ])('%s is told, once', async (_, config, verb) => {
    const { driver, job, queue, hooked, events } = setUp(config);
    driver.faults.cut(verb);
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(await queue.failed.list()).toHaveLength(1);
    expect(hooked).toEqual(['boom']);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });
});
