import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, exponential, type PushOptions } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const mail = defineJob({ name: 'mail.send', handle(_: { data: { to: string } }) {} });
const report = defineJob({ name: 'report', queue: 'reports', handle(_: { data: { month: number } }) {} });

function setUp() {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const other = faulty(memory({ clock, queue: 'others' }));
  const queue = createQueue({ default: 'main', connections: { main: driver, other } });
  /** What is stored and due now, decoded, in order. */
  const due = async (name = 'default', { store } = driver) =>
    (await store.reserve([name], 1000, 90_000)).map((job) => JSON.parse(job.body));
  return { clock, driver, other, queue, due };
}

describe('push', () => {
  test('stores the job on the default queue and answers its id, a UUID of version 7', async () => {
    const { queue, due } = setUp();
    const id = await queue.push(mail, { to: 'a' });
    expect(id).toMatch(uuid);
    expect(await due()).toEqual([
      {
        job: 'mail.send',
        maxTries: null,
        timeout: null,
        data: { to: 'a' },
        dueAt: expect.any(Number),
        id,
        attempts: 0,
      },
    ]);
  });

  test('says of each job when it was due first, and until when it is tried from then on', async () => {
    const clock = manualClock();
    const driver = faulty(memory({ clock }));
    const queue = createQueue({ connections: { driver }, clock });
    const lasting = defineJob({ name: 'lasting', retryUntil: '1h', handle() {} });
    const pushedMs: number[] = [];
    for (let pushes = 0; pushes < 3; pushes++) {
      pushedMs.push(clock.now());
      await queue.push(mail, { to: 'a' });
      await queue.push(lasting);
      clock.advance(60_000);
    }
    const bodies = (await driver.store.reserve(['default'], 10, 90_000)).map((job) => JSON.parse(job.body));
    expect(bodies.map(({ dueAt }) => dueAt)).toEqual(pushedMs.flatMap((ms) => [ms, ms]));
    const ends = bodies.filter(({ job }) => job === 'lasting').map(({ timeoutAt }) => timeoutAt);
    expect(ends).toEqual(pushedMs.map((ms) => Math.ceil((ms + 3_600_000) / 1000)));
  });

  test('stores no data as null', async () => {
    const { queue, due } = setUp();
    await queue.push('job.by.name');
    expect(await due()).toMatchObject([{ job: 'job.by.name', data: null }]);
  });

  test('stores data as it was at the call', async () => {
    const { queue, due } = setUp();
    const data = { to: 'before' };
    const pushed = queue.push(mail, data);
    await pushed;
    data.to = 'after';
    expect(await due()).toMatchObject([{ data: { to: 'before' } }]);
  });

  test('keeps an own __proto__ of the data, and pollutes nothing', async () => {
    const { queue, due } = setUp();
    await queue.push('x', JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":2}}'));
    expect(JSON.stringify((await due())[0].data)).toBe(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":2}}',
    );
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('writes what it was asked for into the payload', async () => {
    const { queue, due } = setUp();
    const backoff = exponential('2s', { jitter: false });
    await queue.push(mail, { to: 'a' }, { tries: 5, timeout: '1500ms', backoff });
    await queue.push(mail, { to: 'b' }, { tries: 0, timeout: 0, backoff: [1, '5s'] });
    expect(await due()).toMatchObject([
      { maxTries: 5, timeout: 1.5, backoff: { type: 'exponential', base: '2s', jitter: false } },
      { maxTries: 0, timeout: 0, backoff: [1, '5s'] },
    ]);
  });

  test.each<[string, PushOptions, number]>([
    ['a delay as text', { delay: '250ms' }, 250],
    ['a delay in seconds', { delay: 5 }, 5000],
    ['a point in time', { at: new Date(1_700_000_000_000 + 7000) }, 7000],
  ])('waits for %s', async (_, options, ms) => {
    const { queue, due, clock } = setUp();
    await queue.push(mail, { to: 'a' }, options);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
    clock.advance(ms - 1);
    expect(await due()).toEqual([]);
    clock.advance(1);
    expect(await due()).toHaveLength(1);
  });

  test.each<[string, PushOptions]>([
    ['no delay', { delay: 0 }],
    ['a point in the past', { at: new Date(0) }],
    ['options that are undefined', { delay: undefined, at: undefined, id: undefined } as PushOptions],
  ])('is due at once with %s', async (_, options) => {
    const { queue, due } = setUp();
    await queue.push(mail, { to: 'a' }, options);
    expect(await due()).toHaveLength(1);
  });
});

describe('the place of a push', () => {
  test("is the push's queue, else the job's, else the connection's", async () => {
    const { queue, other, due } = setUp();
    await queue.push(report, { month: 1 });
    await queue.push(report, { month: 2 }, { queue: 'urgent' });
    await queue.push(report, { month: 3 }, { connection: 'other' });
    await queue.push(mail, { to: 'a' }, { connection: 'other' });
    await queue.connection('other').push(mail, { to: 'b' });
    await queue.connection('other').push(mail, { to: 'c' }, { connection: 'main' });
    expect(await due('reports')).toMatchObject([{ data: { month: 1 } }]);
    expect(await due('urgent')).toMatchObject([{ data: { month: 2 } }]);
    expect(await due('reports', other)).toMatchObject([{ data: { month: 3 } }]);
    expect(await due('others', other)).toMatchObject([{ data: { to: 'a' } }, { data: { to: 'b' } }]);
    expect(await due('default')).toMatchObject([{ data: { to: 'c' } }]);
  });

  test("by name is the registered job's queue", async () => {
    const driver = faulty(memory());
    const queue = createQueue({ connections: { default: driver }, jobs: [report] });
    await queue.push('report', { month: 1 });
    expect(await queue.size('reports')).toMatchObject({ ready: 1 });
  });
});

describe('an id of your own', () => {
  test('is the job’s, and a second push of it changes nothing while the job is stored', async () => {
    const { queue, driver } = setUp();
    const { store } = driver;
    expect(await queue.push(mail, { to: 'first' }, { id: 'order-1' })).toBe('order-1');
    expect(await queue.push(mail, { to: 'second' }, { id: 'order-1' })).toBe('order-1');
    const [job] = await store.reserve(['default'], 10, 90_000);
    expect(job).toMatchObject({ id: 'order-1', body: expect.stringContaining('"to":"first"') });
    await queue.push(mail, { to: 'while it runs' }, { id: 'order-1' });
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 1 });
    await store.delete([job?.lease as never]);
    await queue.push(mail, { to: 'a new life' }, { id: 'order-1' });
    expect(await queue.size()).toMatchObject({ ready: 1 });
  });

  test('is free in another queue', async () => {
    const { queue } = setUp();
    await queue.push(mail, { to: 'a' }, { id: 'x' });
    await queue.push(mail, { to: 'a' }, { id: 'x', queue: 'second' });
    expect((await queue.size()).ready + (await queue.size('second')).ready).toBe(2);
  });
});

describe('later', () => {
  test("takes think-queue's order of words: seconds, text, or a Date", async () => {
    const { queue, due, clock } = setUp();
    await queue.later(5, mail, { to: 'seconds' });
    await queue.later('6s', mail, { to: 'text' });
    await queue.later(new Date(clock.now() + 7000), mail, { to: 'date' }, { id: 'mine' });
    expect(await queue.size()).toMatchObject({ delayed: 3 });
    for (const to of ['seconds', 'text', 'date']) {
      expect(await due()).toEqual([]);
      clock.advance(to === 'seconds' ? 5000 : 1000);
      expect(await due()).toMatchObject([{ data: { to } }]);
    }
  });
});

describe('bulk', () => {
  test('stores one job for each item in order, in one call, with the options of all', async () => {
    const { queue, driver, due } = setUp();
    const ids = await queue.bulk(mail, [{ to: 'a' }, { to: 'b' }, { to: 'c' }], { queue: 'many', tries: 2 });
    expect(new Set(ids).size).toBe(3);
    expect(driver.faults.calls('push')).toBe(1);
    expect(await due('many')).toMatchObject(
      ['a', 'b', 'c'].map((to, index) => ({ data: { to }, maxTries: 2, id: ids[index] })),
    );
  });

  test('of nothing stores nothing', async () => {
    const { queue, driver } = setUp();
    expect(await queue.bulk(mail, [])).toEqual([]);
    expect(driver.faults.calls('push')).toBe(0);
  });

  test('refuses one id for all: only one of the jobs would be stored', async () => {
    const { queue } = setUp();
    const options = { id: 'same' } as Omit<PushOptions, 'id'>;
    await expect(queue.bulk(mail, [{ to: 'a' }, { to: 'b' }], options)).rejects.toMatchObject({
      name: 'QueueError',
    });
    expect(await queue.size()).toMatchObject({ ready: 0 });
  });
});

describe('pushMany', () => {
  test('stores jobs of all kinds, one call for each queue, and answers the ids in order', async () => {
    const { queue, driver, other, due } = setUp();
    const ids = await queue.pushMany([
      [mail, { to: 'a' }],
      [report, { month: 1 }],
      ['by.name', 1, { id: 'mine' }],
      [mail, { to: 'b' }, { connection: 'other' }],
      [mail, { to: 'c' }, { delay: 1 }],
      ['no.data'],
    ]);
    expect(ids).toHaveLength(6);
    expect(ids[2]).toBe('mine');
    expect(await due('default')).toMatchObject([
      { job: 'mail.send', id: ids[0] },
      { job: 'by.name', id: 'mine' },
      { job: 'no.data', data: null },
    ]);
    expect(await due('reports')).toMatchObject([{ id: ids[1] }]);
    expect(await due('others', other)).toMatchObject([{ id: ids[3] }]);
    expect(driver.faults.calls('push')).toBe(2);
  });

  test('stores the jobs of one call all or none', async () => {
    const { queue, driver } = setUp();
    driver.faults.refuse('push');
    await expect(queue.pushMany([['a'], ['b']])).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    expect(await queue.size()).toMatchObject({ ready: 0 });
  });
});
