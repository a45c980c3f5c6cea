import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { BufferLane } from '../../src/buffer-lane.js';
import { afterBatch } from '../../src/buffer-policy.js';
import { type BufferOptions, createQueue, defineJob, type Logger, QueueError } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { faulty, storeAway, storeCorrupt } from '../support/faulty-driver.js';

function makeBuffer(options: BufferOptions = {}) {
  const driver = faulty(memory());
  const lines: string[] = [];
  const log = (_: object, text?: string) => lines.push(text ?? '');
  const logger = { debug() {}, info() {}, warn() {}, error: log } as unknown as Logger;
  const queue = createQueue({ connections: { default: driver }, logger });
  const buffer = queue.buffered(options);
  const bodies = async () =>
    (await driver.store.reserve(['default'], 1000, 60_000)).map(({ body }) => JSON.parse(body).data);
  return { driver, queue, buffer, bodies, lines };
}

/** A batch that only `flush` sends. */
const byHand = { linger: '1h' } as const;

test('jobs are stored in batches, in the order of their pushes, and each push learns of its own', async () => {
  const { driver, queue, buffer, bodies } = makeBuffer({ batch: 4 });
  const jobs = await Promise.all([...Array(10).keys()].map((n) => buffer.push('job', n)));
  await Promise.all(jobs.map(({ stored }) => stored));
  expect(driver.faults.calls('push')).toBe(3);
  expect(await bodies()).toEqual([...Array(10).keys()]);
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(10);
  await queue.close();
});

test('a push says what the job was when it was made, and refuses at once what cannot be', async () => {
  const { buffer, bodies, queue } = makeBuffer(byHand);
  const data = { n: 1 };
  await buffer.push('job', data);
  data.n = 2;
  await expect(buffer.push('job', { at: new Date() })).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
  await expect(buffer.push('job', 1, { delay: 'soon' as '1s' })).rejects.toMatchObject({
    code: 'E_DURATION',
  });
  await buffer.flush();
  expect(await bodies()).toEqual([{ n: 1 }]);
  await queue.close();
});

describe('a full buffer', () => {
  test('lets pushes wait for room, in their order', async () => {
    const { driver, queue, buffer, bodies } = makeBuffer({ size: 2, batch: 2 });
    const held = driver.faults.hold('push');
    const first = await Promise.all([buffer.push('job', 0), buffer.push('job', 1)]);
    await held.reached;
    let isIn = false;
    const more = [2, 3, 4].map((n) => buffer.push('job', n));
    void more[0]?.then(() => {
      isIn = true;
    });
    await new Promise(setImmediate);
    expect([isIn, buffer.held]).toEqual([false, 2]);
    held.letGo();
    const jobs = [...first, ...(await Promise.all(more))];
    await Promise.all(jobs.map(({ stored }) => stored));
    expect(await bodies()).toEqual([0, 1, 2, 3, 4]);
    expect(buffer.held).toBe(0);
    await queue.close();
  });

  test('refuses pushes where it is told to', async () => {
    const { queue, buffer } = makeBuffer({ ...byHand, size: 1, whenFull: 'reject' });
    await buffer.push('job');
    await expect(buffer.push('job')).rejects.toMatchObject({ code: 'E_BUFFER_FULL', transient: true });
    await buffer.flush();
    await buffer.push('job');
    await queue.close();
  });
});

describe('a store that does not take a batch', () => {
  test('is asked again while it is away', async () => {
    const { driver, queue, buffer, bodies } = makeBuffer();
    driver.faults.refuse('push', storeAway(), 2);
    const { stored } = await buffer.push('job', 1);
    await stored;
    expect(driver.faults.calls('push')).toBe(3);
    expect(await bodies()).toEqual([1]);
    await queue.close();
  });

  test('is given up after retryFor, which each push and the log are told', async () => {
    const { driver, queue, buffer, lines } = makeBuffer({ ...byHand, retryFor: 0 });
    driver.faults.refuse('push', storeAway());
    const jobs = await Promise.all([buffer.push('job', 1), buffer.push('job', 2)]);
    await buffer.flush();
    for (const { stored } of jobs)
      await expect(stored).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    expect(lines).toEqual(['2 buffered jobs were not stored']);
    await queue.close();
  });

  test('whose reply was lost gets again only jobs that it can tell apart; of others nobody knows', async () => {
    const { driver, queue, buffer, bodies } = makeBuffer(byHand);
    const generated = await buffer.push('job', 'generated');
    const chosen = await buffer.push('job', 'chosen', { id: 'mine' });
    driver.faults.cut('push');
    await buffer.flush();
    await chosen.stored;
    await expect(generated.stored).rejects.toMatchObject({ ambiguous: true, ids: [generated.id] });
    expect(await bodies()).toEqual(['generated', 'chosen']);
    await queue.close();
  });

  test('refuses the one job that it does not like, and takes the others', async () => {
    const { driver, queue, buffer, bodies } = makeBuffer(byHand);
    const jobs = await Promise.all([0, 1, 2].map((n) => buffer.push('job', n)));
    driver.faults.refuse('push', storeCorrupt());
    driver.faults.next('push', (call) => call());
    driver.faults.refuse('push', storeCorrupt());
    await buffer.flush();
    const fates = await Promise.allSettled(jobs.map(({ stored }) => stored));
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await bodies()).toEqual([0, 2]);
    await queue.close();
  });
});

describe('the end', () => {
  test('close stores what is there, and takes no more', async () => {
    const { queue, buffer, bodies } = makeBuffer({ ...byHand, size: 1 });
    await buffer.push('job', 1);
    const waiting = buffer.push('job', 2);
    await new Promise(setImmediate);
    await buffer.close();
    await expect(waiting).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    await expect(buffer.push('job', 3)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    expect(await bodies()).toEqual([1]);
    await queue.close();
  });

  test('a block with `await using`, and the queue, close it', async () => {
    const { queue, buffer, bodies } = makeBuffer(byHand);
    {
      await using own = queue.buffered(byHand);
      await own.push('job', 'own');
    }
    expect(await bodies()).toEqual(['own']);
    const { stored } = await buffer.push('job', 'left');
    await queue.close();
    await stored;
    await expect(buffer.push('job')).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    expect(buffer.held).toBe(0);
  });

  test('a process that ends by itself stores what it has; one that is killed loses it', async () => {
    const code = (then: string) => `
      import { createQueue, defineJob } from 'drover';
      import { sync } from 'drover/drivers/sync';
      const job = defineJob({ name: 'job', handle: ({ data }) => console.log(data) });
      const queue = createQueue({ connections: { default: sync() }, jobs: [job] });
      const pushed = queue.buffered({ linger: '50ms' }).push(job, 'stored');
      ${then}
      await pushed;`;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const run = async (then: string) =>
      (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code(then)], { cwd }))
        .stdout;
    expect(await Promise.all([run(''), run('process.exit(0)')])).toEqual(['stored\n', '']);
  });
});

test('on a connection that runs jobs as they are pushed each has its own fate', async () => {
  const job = defineJob<number>({
    name: 'job',
    handle: ({ data }) => {
      if (data === 1) throw new Error('one');
    },
  });
  const queue = createQueue({ connections: { default: sync() }, jobs: [job] });
  await using buffer = queue.buffered();
  const jobs = await Promise.all([0, 1, 2].map((n) => buffer.push(job, n)));
  const fates = await Promise.allSettled(jobs.map(({ stored }) => stored));
  expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test.each([
  [{ size: 0 }, 'E_CONFIG'],
  [{ batch: 1.5 }, 'E_CONFIG'],
  [{ linger: 'soon' }, 'E_DURATION'],
  [{ whenFull: 'drop' }, 'E_CONFIG'],
  [{ sise: 1 }, 'E_CONFIG'],
])('buffered(%j) is refused', (options, code) => {
  const queue = createQueue({ connections: { default: memory() } });
  expect(() => queue.buffered(options as BufferOptions)).toThrow(expect.objectContaining({ code }));
});

describe('what becomes of a job of a batch that failed', () => {
  const error = (transient: boolean, ambiguous: boolean) =>
    new QueueError('E_STORE_UNAVAILABLE', 'x', { transient, ambiguous });
  const about = { unique: false, batchSize: 3, tries: 1, leftMs: 1000, random: 0.5 };

  test.each([
    ['away', error(true, false), {}, { action: 'retry', waitMs: 50 }],
    ['away for the third time', error(true, false), { tries: 3 }, { action: 'retry', waitMs: 200 }],
    ['away, and no time left', error(true, false), { leftMs: 10 }, { action: 'give-up' }],
    ['open', error(true, true), {}, { action: 'give-up' }],
    ['open, of an id that was chosen', error(true, true), { unique: true }, { action: 'retry', waitMs: 50 }],
    ['refused with others', error(false, false), {}, { action: 'alone' }],
    ['refused by itself', error(false, false), { batchSize: 1 }, { action: 'give-up' }],
    ['an error that is none of ours', new Error('x'), { batchSize: 1 }, { action: 'give-up' }],
  ])('%s', (_, thrown, more, fate) => {
    expect(afterBatch(thrown, { ...about, ...more })).toEqual(fate);
  });
});

test('a job that comes just as a batch ends is not left behind', async () => {
  for (let hops = 0; hops < 12; hops += 1) {
    const lane = new BufferLane({
      batchSize: 10,
      lingerMs: 0,
      retryForMs: 0,
      store: async () => {},
      onLost: () => {},
    });
    const prepared = { queue: 'q', name: 'job', job: { id: 'a', body: '' } };
    const added = () => new Promise<void>((resolve, reject) => lane.add({ prepared, resolve, reject }));
    await added();
    for (let hop = 0; hop < hops; hop += 1) await undefined;
    await within(added(), `the store of a job that came ${hops} steps after a batch`);
  }
});
