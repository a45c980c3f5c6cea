import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import {
  createQueue,
  defineJob,
  type JobContext,
  type JobEvent,
  type JobSettings,
  type PushedEvent,
} from '../../src/index.js';
import { faulty, storeCorrupt } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';
import { unhandledDuring } from '../support/unhandled.js';

function setUp(handle: (context: JobContext<unknown>) => unknown = () => {}, settings: JobSettings = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const logger = recordingLogger();
  const job = defineJob({ name: 'job', handle, ...settings });
  const queue = createQueue({ default: 'main', connections: { main: driver }, jobs: [job], logger });
  return { clock, driver, job, queue, logger };
}

const boom = () => Promise.reject(new RangeError('boom'));
const who = { id: 'mine', name: 'job', queue: 'default', connection: 'main', attempts: 1 };
const durationMs = expect.any(Number);
const error = { class: 'RangeError', message: 'boom' };

describe('an event tells', () => {
  test.each<[string, (context: JobContext<unknown>) => unknown, JobSettings, object]>([
    ['of success', () => {}, {}, { event: 'job:done' }],
    ['of a job kept', () => {}, { ack: 'manual' }, { event: 'job:kept' }],
    ['of a retry', boom, { backoff: 7 }, { event: 'job:released', delayMs: 7000, error }],
    ['of a release', ({ job }) => job.release('9s'), {}, { event: 'job:released', delayMs: 9000 }],
    ['of failure', boom, { tries: 1 }, { event: 'job:failed', reason: 'max-tries', error }],
  ])('%s, after the start, and of which job', async (_, handle, settings, end) => {
    const { queue, job } = setUp(handle, settings);
    const events = recordEvents(queue);
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(events).toMatchObject([
      { event: 'job:started', ...who },
      { ...who, durationMs, ...end },
    ]);
    expect(Object.keys(events[1] ?? {}).sort()).toEqual(
      [...Object.keys(who), ...Object.keys(end), 'durationMs'].sort(),
    );
    expect((events[1] as { durationMs: number }).durationMs).toBeGreaterThanOrEqual(0);
    expect(() => JSON.stringify(events)).not.toThrow();
  });

  test('of a lost lease and of a store that refused', async () => {
    const { queue, job, driver, clock } = setUp(async () => {
      clock.advance(90_000);
      await driver.store.reserve(['default'], 1, 90_000);
    });
    const events = recordEvents(queue);
    await queue.push(job, null, { id: 'mine' });
    await queue.worker({ once: true }).run();
    driver.faults.refuse('delete', storeCorrupt());
    clock.advance(90_000);
    await queue.worker({ once: true }).run();
    expect(events.slice(1)).toMatchObject([
      { event: 'job:lost', ...who },
      { event: 'job:started' },
      { event: 'job:unsettled', error: { message: 'the store is corrupt' } },
    ]);
  });

  test('what happened, after it happened', async () => {
    const { queue, job, driver } = setUp();
    const sizes: Promise<unknown>[] = [];
    queue.events.on('job:started', () => sizes.push(driver.store.size('default')));
    queue.events.on('job:done', () => sizes.push(driver.store.size('default')));
    await queue.push(job);
    await workOff(queue);
    expect(await Promise.all(sizes)).toMatchObject([{ reserved: 1 }, { reserved: 0 }]);
  });
});

describe('a listener', () => {
  test('hears its own event only, or all', async () => {
    const { queue, job } = setUp();
    const heard: string[] = [];
    queue.events.on('job:done', (event) => heard.push(`done ${event.event}`));
    queue.events.on('job:failed', (event) => heard.push(`failed ${event.reason}`));
    queue.events.on('job:*', (event: JobEvent) => heard.push(`all ${event.event}`));
    await queue.push(job);
    await workOff(queue);
    expect(heard).toEqual(['all job:started', 'done job:done', 'all job:done']);
  });

  test('is taken off by what on() answered, and only that one', async () => {
    const { queue, job } = setUp();
    const heard: string[] = [];
    const off = queue.events.on('job:done', () => heard.push('first'));
    queue.events.on('job:done', () => heard.push('second'));
    await queue.push(job);
    await workOff(queue);
    off();
    off();
    await queue.push(job);
    await workOff(queue);
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  test('may take itself off while it is called', async () => {
    const { queue, job } = setUp();
    const heard: string[] = [];
    const off = queue.events.on('job:done', () => {
      heard.push('once');
      off();
    });
    queue.events.on('job:done', () => heard.push('other'));
    await queue.bulk(job, [1, 2]);
    await workOff(queue);
    expect(heard).toEqual(['once', 'other', 'other']);
  });

  test('is shared by the queue objects of all connections', async () => {
    const job = defineJob({ name: 'job', handle() {} });
    const queue = createQueue({ default: 'a', connections: { a: memory(), b: memory() }, jobs: [job] });
    const events = recordEvents(queue);
    const b = queue.connection('b');
    await b.push(job);
    await workOff(b);
    expect(events).toMatchObject([{ connection: 'b' }, { connection: 'b' }]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('listener broke');
      },
    ],
    ['rejects', () => Promise.reject(new Error('listener broke'))],
  ])('that %s is logged and changes nothing', async (_, listener) => {
    const { queue, job, logger } = setUp();
    queue.events.on('job:started', listener);
    queue.events.on('job:*', listener);
    const events = recordEvents(queue);
    await queue.push(job, null, { id: 'mine' });
    expect(await unhandledDuring(() => workOff(queue))).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    expect(logger.lines).toHaveLength(3);
    expect(logger.lines).toMatchObject([
      { level: 'error', fields: { event: 'job:started', id: 'mine' }, message: 'an event listener threw' },
      { fields: { event: 'job:started' } },
      { fields: { event: 'job:done' } },
    ]);
  });

  test('that never ends holds nothing up', async () => {
    const { queue, job } = setUp();
    queue.events.on('*', () => new Promise(() => {}));
    await queue.bulk(job, [1, 2]);
    expect(await workOff(queue)).toBe('empty');
  });
});

describe('a push tells', () => {
  const place = { event: 'queue:pushed', connection: 'main', queue: 'default' } as const;

  test('of what it stored, and of nothing that was there already or was refused', async () => {
    const { queue, job, driver } = setUp();
    const told: PushedEvent[] = [];
    queue.events.on('queue:pushed', (event) => told.push(event));
    await queue.push(job, null, { id: 'mine' });
    await queue.push(job, null, { id: 'mine' });
    await queue.pushMany([
      [job, 1, { id: 'mine' }],
      [job, 2, { id: 'b' }],
      ['unknown.here', 3, { id: 'c' }],
      [job, 4, { id: 'd', queue: 'other' }],
    ]);
    driver.faults.refuse('push', storeCorrupt());
    await expect(queue.push(job)).rejects.toThrow('the store is corrupt');
    expect(told).toEqual([
      { ...place, jobs: [{ id: 'mine', name: 'job' }] },
      {
        ...place,
        jobs: [
          { id: 'b', name: 'job' },
          { id: 'c', name: 'unknown.here' },
        ],
      },
      { ...place, queue: 'other', jobs: [{ id: 'd', name: 'job' }] },
    ]);
  });

  test('where it runs the job, before that', async () => {
    const job = defineJob({ name: 'job', handle: boom });
    const queue = createQueue({ connections: { default: sync() }, jobs: [job] });
    const told: string[] = [];
    queue.events.on('*', ({ event }) => told.push(event));
    await expect(queue.push(job)).rejects.toThrow('boom');
    expect(told).toEqual(['queue:pushed', 'job:started', 'job:exception', 'job:failed']);
  });
});
