import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Lease } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { faulty, storeAway, storeCorrupt } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

/** Jobs on one connection, failed jobs on another. */
function setUp(lease: '90s' | '400ms' | '5s' = '90s') {
  const clock = manualClock();
  const jobs = faulty(memory({ lease, clock }));
  const graves = faulty(memory({ clock }));
  let runs = 0;
  const hooked: string[] = [];
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      runs += 1;
      throw new Error('boom');
    },
    failed: ({ error }) => hooked.push((error as Error).message),
  });
  const queue = createQueue({
    default: 'jobs',
    connections: { jobs, graves },
    jobs: [job],
    failed: { connection: 'graves' },
    worker: lease === '90s' ? {} : { timeout: '100ms', grace: '50ms' },
  });
  return { clock, jobs, graves, job, queue, hooked, events: recordEvents(queue), runs: () => runs };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('failed jobs that are kept in another store', () => {
  test('are recorded there, then deleted, then their hook is called, then the event', async () => {
    // The hook writes what it was called with, the others write their names.
    const { queue, job, jobs, graves, hooked: order } = setUp();
    graves.faults.next('failedJobs.record', async (call) => {
      await call();
      order.push('record');
    });
    jobs.faults.next('delete', async (call) => {
      order.push('delete');
      return call();
    });
    queue.events.on('job:failed', () => order.push('event'));
    await queue.push(job);
    await workOff(queue);
    expect(order).toEqual(['record', 'delete', 'boom', 'event']);
    expect(await graves.store.failedJobs?.list()).toMatchObject([{ connection: 'jobs', queue: 'default' }]);
    expect(await jobs.store.failedJobs?.list()).toEqual([]);
    expect(await queue.size()).toEqual(empty);
  });

  test('are not recorded by a worker that has lost the lease', async () => {
    const { clock, jobs, graves, job, queue, events } = setUp();
    let taken: Lease | undefined;
    jobs.faults.next('extend', async (call) => {
      clock.advance(90_000);
      taken = (await jobs.store.reserve(['default'], 1, 90_000))[0]?.lease;
      return call();
    });
    await queue.push(job);
    await queue.worker({ once: true }).run();
    expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
    expect(graves.faults.calls('failedJobs.record')).toBe(0);
    expect(await jobs.store.delete([taken as Lease])).toEqual([true]);
  });

  test('are recorded, one of two, where only that one is still held', async () => {
    const { jobs, job, queue, events } = setUp();
    await queue.push(job, null, { id: 'kept' });
    await queue.push(job, null, { id: 'lost' });
    jobs.faults.next('extend', async (call) => {
      const held = (await call()) as boolean[];
      expect(held).toEqual([true, true]);
      return [true, false];
    });
    await queue.worker({ maxJobs: 2, concurrency: 2 }).run();
    expect(namesOf(events).sort()).toEqual(['job:failed', 'job:lost', 'job:started', 'job:started']);
    expect(await queue.failed.list()).toMatchObject([{ jobId: 'kept' }]);
    expect(await queue.size()).toMatchObject({ reserved: 1 });
  });
});

describe('while the other store is away', () => {
  test('the job stays, is recorded when it is back, and its handler is not run again', async () => {
    const { jobs, graves, job, queue, events, runs, hooked } = setUp('5s');
    graves.faults.refuse('failedJobs.record', storeAway(), 3);
    await queue.push(job);
    const second = new AbortController();
    const waiting = queue.worker().run(second.signal);
    await within(new Promise((resolve) => queue.events.on('job:failed', resolve)), 'the record');
    second.abort();
    await waiting;
    expect(runs()).toBe(1);
    expect(hooked).toEqual(['boom']);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(await queue.failed.list()).toMatchObject([{ message: 'boom', reason: 'max-tries' }]);
    expect(await jobs.store.size('default')).toEqual(empty);
  });

  test('for longer than a lease, the job is not lost either, and not run again', async () => {
    const { clock, graves, job, queue, events, runs } = setUp('400ms');
    graves.faults.away('failedJobs.record');
    await queue.push(job);
    const stop = new AbortController();
    const run = queue.worker().run(stop.signal);
    await within(new Promise((resolve) => queue.events.on('job:unsettled', resolve)), 'the giving up');
    expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
    graves.faults.back();
    clock.advance(400);
    await within(new Promise((resolve) => queue.events.on('job:failed', resolve)), 'the record');
    stop.abort();
    await run;
    expect(runs()).toBe(1);
    expect(namesOf(events)).toEqual(['job:started', 'job:unsettled', 'job:failed']);
    expect(await queue.failed.list()).toHaveLength(1);
  });

  test('and other jobs do well, the worker goes on', async () => {
    const { graves, job, queue } = setUp();
    let others = 0;
    const fine = defineJob({ name: 'fine', handle: () => others++ });
    graves.faults.refuse('failedJobs.record', storeAway(), 2);
    await queue.push(job);
    await queue.bulk(fine, [1, 2, 3]);
    await workOff(queue, { concurrency: 2 });
    expect(others).toBe(3);
    expect(await queue.failed.list()).toHaveLength(1);
  });
});

describe('a worker that dies between the record and the delete', () => {
  test('leaves a job that is failed again without a run, and one record', async () => {
    const { clock, jobs, job, queue, events, runs } = setUp();
    jobs.faults.refuse('delete', storeCorrupt());
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:unsettled']);
    expect(await queue.failed.list()).toHaveLength(1);
    expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
    clock.advance(90_000);
    await workOff(queue);
    expect(runs()).toBe(1);
    expect(await queue.failed.list()).toMatchObject([{ jobId: 'mine' }]);
    expect(await queue.size()).toEqual(empty);
  });

  test('that only misses the reply writes one record, and calls the hook', async () => {
    const { jobs, job, queue, hooked } = setUp();
    jobs.faults.cut('delete');
    await queue.push(job);
    await workOff(queue);
    expect(await queue.failed.list()).toHaveLength(1);
    expect(hooked).toEqual(['boom']);
  });
});
