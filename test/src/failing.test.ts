import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type FailedContext, type QueueConfig } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, recordingLogger, workOff } from '../support/recorder.js';
import { unhandledDuring } from '../support/unhandled.js';

function setUp(
  thrown: unknown = new Error('boom'),
  failed?: (context: FailedContext<unknown>) => unknown,
  config: Partial<QueueConfig> = {},
) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const logger = recordingLogger();
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      throw thrown;
    },
    ...(failed && { failed }),
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job], logger, clock, ...config });
  return { clock, driver, logger, job, queue, events: recordEvents(queue) };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('the record of a failed job', () => {
  test('holds what is needed to understand it and to run it again', async () => {
    const error = new RangeError('out of range', { cause: new TypeError('deeper') });
    const { queue, job, clock, driver } = setUp(error);
    await queue.push(job, { x: ['ü', null] }, { id: 'mine' });
    const [peek] = await driver.store.reserve(['default'], 1, 90_000);
    await driver.store.unreserve?.([peek?.lease as never]);
    clock.advance(5000);
    await workOff(queue);
    expect(await queue.failed.list()).toEqual([
      {
        uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        jobId: 'mine',
        connection: 'default',
        queue: 'default',
        name: 'job',
        payload: peek?.body,
        errorClass: 'RangeError',
        message: 'out of range',
        stack: error.stack,
        causes: [{ class: 'TypeError', message: 'deeper' }],
        attempts: 1,
        reason: 'max-tries',
        host: hostname(),
        pid: process.pid,
        failedAtMs: clock.now(),
      },
    ]);
    expect(await queue.size()).toEqual(empty);
  });

  test.each<[string, string]>([
    ['no JSON', '{"job":"jo'],
    ['an empty body', ''],
    ['no job', '{"data":1}'],
    ['a list', '[1,2]'],
    ['a lone surrogate', '"\\ud800"'],
    ['what PHP may write', 'O:8:"stdClass":0:{}'],
  ])('keeps a body that cannot be read as it is, at first sight: %s', async (_, body) => {
    const { queue, driver, events } = setUp();
    await driver.store.push('default', [{ id: 'x', body }]);
    await workOff(queue);
    expect(await queue.failed.list()).toMatchObject([
      { payload: body, name: null, jobId: 'x', reason: 'bad-payload', attempts: 1 },
    ]);
    expect(namesOf(events)).toEqual(['job:failed']);
    expect(await queue.size()).toEqual(empty);
  });

  test('is written also for a body whose id is no text', async () => {
    const { queue, driver } = setUp();
    await driver.store.push('default', [{ id: 'x', body: '{"job":"job","id":{"toString":null}}' }]);
    const run = () => within(workOff(queue), 'the end', 1000).catch(() => {});
    expect(await unhandledDuring(run)).toEqual([]);
    expect(await queue.failed.list()).toHaveLength(1);
  });
});

describe('whatever a handler throws is one failed job, and the worker goes on', () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trapped');
      },
      getPrototypeOf() {
        throw new Error('trapped');
      },
    },
  );
  const uninspectable = Object.assign(() => {}, {
    [Symbol.for('nodejs.util.inspect.custom')]() {
      throw new Error('inspected');
    },
  });
  const circular = Object.assign(new Error('circular'), { cause: undefined as unknown });
  circular.cause = circular;
  test.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['null', () => null],
    ['a word', () => 'a word'],
    ['a number', () => 42],
    ['a symbol', () => Symbol('s')],
    ['a frozen error', () => Object.freeze(new Error('frozen'))],
    ['an object without prototype', () => Object.create(null)],
    ['a proxy whose traps throw', () => hostile],
    ['a function that cannot be inspected', () => uninspectable],
    ['a circular cause', () => circular],
    ['five million characters', () => new Error('x'.repeat(5_000_000))],
    ['a NUL', () => new Error('a\0b')],
  ])('%s', async (_, make) => {
    const { queue, job, events } = setUp(make());
    await queue.bulk(job, [1, 2]);
    const run = () => within(workOff(queue), 'the end', 2000).catch(() => {});
    expect(await unhandledDuring(run)).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed', 'job:started', 'job:failed']);
    const failed = await queue.failed.list();
    expect(failed).toHaveLength(2);
    expect(JSON.stringify(failed)).not.toContain('\\u0000');
    expect(JSON.stringify(failed).length).toBeLessThan(200_000);
    expect(await queue.size()).toEqual(empty);
  });

  test.each<[string, () => unknown]>([
    ['a proxy whose traps throw', () => hostile],
    ['a function that cannot be inspected', () => uninspectable],
    [
      'an error whose name throws',
      () => Object.defineProperty(new Error('x'), 'name', { get: () => hostile }),
    ],
  ])('also after the job was deleted, when it is only logged: %s', async (_, make) => {
    const driver = faulty(memory());
    const job = defineJob({
      name: 'job',
      async handle({ job }) {
        await job.delete();
        throw make();
      },
    });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    const events = recordEvents(queue);
    await queue.push(job);
    const run = () => within(workOff(queue), 'the end', 1000).catch(() => {});
    expect(await unhandledDuring(run)).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:done']);
  });

  test('also when it is only released', async () => {
    const { queue, job, events } = setUp(uninspectable);
    await queue.push(job, null, { tries: 2 });
    const run = () => within(workOff(queue), 'the end', 1000).catch(() => {});
    expect(await unhandledDuring(run)).toEqual([]);
    expect(namesOf(events)).toEqual(['job:started', 'job:released']);
  });
});

describe('the failed hook', () => {
  test('is called with the data, the error and the job, once the failure is on record', async () => {
    const thrown = new Error('boom');
    const seen: unknown[] = [];
    const { queue, job } = setUp(thrown, async ({ data, error, job }) => {
      seen.push(data, error === thrown, job.id, job.attempts());
      expect(await queue.failed.list()).toHaveLength(1);
      expect(await queue.size()).toEqual(empty);
      await expect(job.release()).rejects.toMatchObject({ code: 'E_JOB_ALREADY_SETTLED' });
    });
    queue.events.on('job:failed', () => seen.push('event'));
    await queue.push(job, { x: 1 }, { id: 'mine' });
    await workOff(queue);
    expect(seen).toEqual([{ x: 1 }, true, 'mine', 1, 'event']);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('hook broke');
      },
    ],
    ['rejects', () => Promise.reject(new Error('hook broke'))],
    ['throws nothing', () => Promise.reject(undefined)],
  ])('that %s is logged and changes nothing', async (_, hook) => {
    const { queue, job, events, logger } = setUp(new Error('boom'), hook);
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(await queue.failed.list()).toMatchObject([{ message: 'boom' }]);
    expect(logger.lines).toMatchObject([
      { level: 'error', fields: { id: 'mine' }, message: 'the failed hook of the job ended badly' },
    ]);
  });

  test('that never ends is left alone after the timeout', async () => {
    const { queue, job, events, logger } = setUp(new Error('boom'), () => new Promise(() => {}));
    await queue.push(job);
    await within(workOff(queue, { timeout: '20ms' }), 'the end');
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(logger.lines).toMatchObject([{ fields: { err: { message: 'it ran longer than 20 ms' } } }]);
  });

  test('is not called for an attempt that is followed by another', async () => {
    let hooks = 0;
    const { queue, job } = setUp(new Error('boom'), () => hooks++);
    await queue.push(job, null, { tries: 2 });
    await workOff(queue);
    expect(hooks).toBe(0);
  });
});

describe('onFailed of the config', () => {
  test('is called with what failed and why, after the hook of the job and before the event', async () => {
    const order: unknown[] = [];
    const thrown = new Error('boom');
    const { queue, job, driver } = setUp(thrown, () => order.push('hook'), {
      onFailed: async ({ data, error, job, reason }) => {
        order.push([data, error === thrown, job.id, job.name, reason]);
        expect(await queue.failed.find([job.id])).toHaveLength(1);
      },
    });
    queue.events.on('job:failed', () => order.push('event'));
    await queue.push(job, { x: 1 }, { id: 'mine' });
    await workOff(queue);
    await driver.store.push('default', [{ id: 'bad', body: '{' }]);
    await workOff(queue);
    expect(order).toEqual([
      'hook',
      [{ x: 1 }, true, 'mine', 'job', 'max-tries'],
      'event',
      [null, false, 'bad', '(unreadable)', 'bad-payload'],
      'event',
    ]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('it broke');
      },
    ],
    ['rejects', () => Promise.reject(new Error('it broke'))],
    ['never ends', () => new Promise(() => {})],
  ])('that %s is logged and changes nothing', async (_, onFailed) => {
    const { queue, job, events, logger } = setUp(new Error('boom'), undefined, { onFailed });
    await queue.push(job, null, { id: 'mine' });
    await within(workOff(queue, { timeout: '20ms' }), 'the end');
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(await queue.failed.list()).toMatchObject([{ message: 'boom' }]);
    expect(logger.lines).toMatchObject([
      { level: 'error', fields: { id: 'mine' }, message: 'onFailed of the config ended badly' },
    ]);
  });
});

describe('failed: none', () => {
  test('deletes a job that is given up, and calls its hook', async () => {
    let hooks = 0;
    const { queue, job, events } = setUp(new Error('boom'), () => hooks++, { failed: 'none' });
    await queue.push(job);
    await workOff(queue);
    expect(hooks).toBe(1);
    expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
    expect(await queue.failed.list()).toEqual([]);
    expect(await queue.size()).toEqual(empty);
  });
});
