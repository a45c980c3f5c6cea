import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobSource } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

/** A validator written by hand: takes a number or its text, gives a number. */
function numberSchema(validate: (value: unknown) => unknown): StandardSchemaV1<string | number, number> {
  return {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: validate as StandardSchemaV1.Props<string | number, number>['validate'],
    },
  };
}

function setUp(...jobs: JobSource[]) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  return { clock, driver, queue: createQueue({ connections: { default: driver }, jobs }) };
}

describe('a zod schema', () => {
  const seen: unknown[] = [];
  const order = defineJob({
    name: 'order',
    tries: 3,
    input: z.object({
      id: z.string().transform(Number),
      at: z.iso.datetime().transform((text) => new Date(text)),
    }),
    handle({ data }) {
      seen.push(data);
    },
  });

  test('gives the handler what it makes of the data, and the store what was pushed', async () => {
    seen.length = 0;
    const { queue, driver } = setUp(order);
    await queue.push(order, { id: '7', at: '2026-01-02T03:04:05Z' }, { id: 'one' });
    const [stored] = await driver.store.reserve(['default'], 1, 90_000);
    expect(JSON.parse(stored?.body as string).data).toEqual({ id: '7', at: '2026-01-02T03:04:05Z' });
    await driver.store.unreserve?.([stored?.lease as never]);
    await workOff(queue);
    expect(seen).toEqual([{ id: 7, at: new Date('2026-01-02T03:04:05Z') }]);
  });

  test('refuses data at push, telling each issue with its path, and stores nothing', async () => {
    const { queue, driver } = setUp(order);
    const bad = { id: 7, at: 'yesterday' } as unknown as { id: string; at: string };
    await expect(queue.push(order, bad)).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      message: expect.stringMatching(/^data of job order: id: .*; at: /),
    });
    await expect(queue.bulk(order, [{ id: '1', at: '2026-01-02T03:04:05Z' }, bad])).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
    });
    await expect(queue.pushMany([['fine'], [order, bad]])).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(driver.faults.calls('push')).toBe(0);
  });

  test('refuses stored data: the job fails at once, its handler is not run', async () => {
    seen.length = 0;
    const { queue, driver } = setUp(order);
    const body = '{"job":"order","data":{"id":"stored before a deploy"},"id":"x","attempts":0}';
    await driver.store.push('default', [{ id: 'x', body }]);
    await workOff(queue);
    expect(seen).toEqual([]);
    expect(await queue.failed.list()).toMatchObject([
      {
        name: 'order',
        reason: 'bad-payload',
        attempts: 1,
        errorClass: 'QueueError',
        message: expect.stringContaining('at: '),
      },
    ]);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });

  test('is asked again on each attempt', async () => {
    let checks = 0;
    const flaky = defineJob({
      name: 'flaky',
      backoff: 1,
      input: z.number().refine(() => ++checks),
      handle({ job }) {
        if (job.attempts() === 1) throw new Error('first');
      },
    });
    const { queue, clock } = setUp(flaky);
    await queue.push(flaky, 5);
    await workOff(queue);
    clock.advance(1000);
    await workOff(queue);
    expect(checks).toBe(3);
    expect(await queue.failed.list()).toEqual([]);
  });
});

describe('a Standard Schema by hand', () => {
  test('may answer later, and may give anything', async () => {
    const seen: number[] = [];
    const add = defineJob({
      name: 'add',
      input: numberSchema(async (value) => ({ value: Number(value) + 1 })),
      handle({ data }) {
        seen.push(data);
      },
    });
    const { queue } = setUp(add);
    await queue.push(add, '41');
    await workOff(queue);
    expect(seen).toEqual([42]);
  });

  test('has its first five issues told, with and without a path', async () => {
    const issues = [
      { message: 'whole' },
      { message: 'keys', path: ['a', 0, 'b'] },
      { message: 'segments', path: [{ key: 'c' }, { key: 1 }] },
      { message: 'empty path', path: [] },
      { message: 'fifth' },
      { message: 'sixth' },
    ];
    const job = defineJob({ name: 'job', input: numberSchema(() => ({ issues })), handle() {} });
    const { queue } = setUp(job);
    await expect(queue.push(job, 1)).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      message: 'data of job job: whole; a.0.b: keys; c.1: segments; empty path; fifth',
    });
  });

  test('that throws refuses the push with what it threw', async () => {
    const thrown = new Error('schema is broken');
    const job = defineJob({
      name: 'job',
      input: numberSchema(() => {
        throw thrown;
      }),
      handle() {},
    });
    const { queue, driver } = setUp(job);
    await expect(queue.push(job, 1)).rejects.toBe(thrown);
    expect(driver.faults.calls('push')).toBe(0);
  });

  test('has the failed hook get the data that the handler would have got', async () => {
    const hooked: unknown[] = [];
    const job = defineJob({
      name: 'job',
      tries: 1,
      input: numberSchema((value) => ({ value: Number(value) * 2 })),
      handle() {
        throw new Error('boom');
      },
      failed({ data }) {
        hooked.push(data);
      },
    });
    const { queue } = setUp(job);
    await queue.push(job, '21');
    await workOff(queue);
    expect(hooked).toEqual([42]);
  });

  test('has the failed hook of a job whose worker vanished get that data as well', async () => {
    const hooked: unknown[] = [];
    const job = defineJob({
      name: 'job',
      tries: 1,
      input: numberSchema((value) => ({ value: Number(value) * 2 })),
      handle() {},
      failed({ data }) {
        hooked.push(data);
      },
    });
    const { queue, driver, clock } = setUp(job);
    await queue.push(job, '21');
    for (const _ of ['its try', 'its run alone']) {
      await driver.store.reserve(['default'], 1, 90_000);
      clock.advance(90_000);
    }
    await workOff(queue);
    expect(await queue.failed.list()).toMatchObject([{ reason: 'lease-lost' }]);
    expect(hooked).toEqual([42]);
  });
});
