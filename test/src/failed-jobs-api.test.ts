import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type FailedJob, type QueueConfig } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';
import { failedJob } from '../support/sqlite.js';

/** Two connections with failed jobs: a1 and a2 on one, b1 on the other, in the order a1, b1, a2. */
async function setUp(config: Partial<QueueConfig> = {}) {
  const clock = manualClock();
  const a = faulty(memory({ clock }));
  const b = faulty(memory({ clock, queue: 'bs' }));
  const graves = faulty(memory({ clock }));
  const state = { broken: true, ran: [] as unknown[] };
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle({ data, job }) {
      if (state.broken) throw new Error(`broken ${data}`);
      state.ran.push([data, job.id, job.attempts()]);
    },
  });
  const queue = createQueue({ default: 'a', connections: { a, b, graves }, jobs: [job], clock, ...config });
  for (const id of ['a1', 'b1', 'a2']) {
    const on = queue.connection(id.startsWith('a') ? 'a' : 'b');
    await on.push(job, `data of ${id}`, { id });
    await workOff(on);
    clock.advance(1000);
  }
  const uuidOf = async (id: string) => (await queue.failed.find([id]))[0]?.uuid as string;
  return { clock, a, b, graves, queue, job, state, uuidOf };
}

const ids = (jobs: readonly FailedJob[]) => jobs.map((job) => job.jobId);
const places: [string, Partial<QueueConfig>][] = [
  ['in the stores of their queues', {}],
  ['in one other store', { failed: { connection: 'graves' } }],
];

describe.each(places)('failed jobs %s', (_, config) => {
  test('are listed over all connections, newest first', async () => {
    const { queue, clock } = await setUp(config);
    expect(ids(await queue.failed.list())).toEqual(['a2', 'b1', 'a1']);
    expect(ids(await queue.connection('b').failed.list())).toEqual(['a2', 'b1', 'a1']);
    expect(ids(await queue.failed.list({ limit: 2 }))).toEqual(['a2', 'b1']);
    expect(ids(await queue.failed.list({ limit: 1, offset: 1 }))).toEqual(['b1']);
    expect(ids(await queue.failed.list({ offset: 2 }))).toEqual(['a1']);
    expect(ids(await queue.failed.list({ offset: 9 }))).toEqual([]);
    expect(ids(await queue.failed.list({ connection: 'a' }))).toEqual(['a2', 'a1']);
    expect(ids(await queue.failed.list({ queue: 'bs' }))).toEqual(['b1']);
    expect(ids(await queue.failed.list({ name: 'job', connection: 'b' }))).toEqual(['b1']);
    expect(ids(await queue.failed.list({ name: 'other' }))).toEqual([]);
    expect(ids(await queue.failed.list({ sinceMs: clock.now() - 2000 }))).toEqual(['a2', 'b1']);
  });

  test('are found by uuid and by job id', async () => {
    const { queue, uuidOf } = await setUp(config);
    expect(ids(await queue.failed.find([await uuidOf('a1'), 'b1', 'nothing']))).toEqual(['b1', 'a1']);
    expect(await queue.failed.find([])).toEqual([]);
  });

  test('are forgotten by uuid', async () => {
    const { queue, uuidOf } = await setUp(config);
    expect(await queue.failed.forget([await uuidOf('a1'), await uuidOf('b1'), 'nothing'])).toBe(2);
    expect(ids(await queue.failed.list())).toEqual(['a2']);
    expect(await queue.failed.forget(['a2'])).toBe(0);
  });

  test('are flushed, all or the older ones', async () => {
    const { queue, clock } = await setUp(config);
    expect(await queue.failed.flush({ beforeMs: clock.now() - 1000 })).toBe(2);
    expect(ids(await queue.failed.list())).toEqual(['a2']);
    expect(await queue.failed.flush()).toBe(1);
    expect(await queue.failed.flush()).toBe(0);
  });

  test('are put back by retry: due now, unspent, byte for byte, off the record', async () => {
    const { queue, a, b, state } = await setUp(config);
    const failed = await queue.failed.list();
    const retried = await queue.failed.retry(failed);
    expect(retried.map(({ job, outcome }) => [job.jobId, outcome]).sort()).toEqual([
      ['a1', 'retried'],
      ['a2', 'retried'],
      ['b1', 'retried'],
    ]);
    expect(await queue.failed.list()).toEqual([]);
    for (const [{ store }, name] of [
      [a, 'default'],
      [b, 'bs'],
    ] as const) {
      const jobs = await store.reserve([name], 10, 90_000);
      for (const job of jobs) {
        expect(job.body).toBe(failed.find((one) => one.jobId === job.id)?.payload);
        expect(job.attempts).toBe(1);
      }
      await store.unreserve?.(jobs.map((job) => job.lease));
    }
    state.broken = false;
    await workOff(queue);
    await workOff(queue.connection('b'));
    expect(state.ran.sort()).toEqual([
      ['data of a1', 'a1', 1],
      ['data of a2', 'a2', 1],
      ['data of b1', 'b1', 1],
    ]);
  });

  test('keep the bytes of a body that cannot be read', async () => {
    const { queue, a } = await setUp(config);
    const body = '{"job":"broken","big":9007199254740993,"list":[],"esc":"\\u0000\\ud800"';
    await a.store.push('default', [{ id: 'raw', body }]);
    await workOff(queue);
    await queue.failed.retry(await queue.failed.find(['raw']));
    expect(await a.store.reserve(['default'], 1, 90_000)).toMatchObject([{ id: 'raw', body }]);
  });

  test('fail again as new', async () => {
    const { queue, clock } = await setUp(config);
    const before = await queue.failed.find(['a1']);
    await queue.failed.retry(before);
    clock.advance(5000);
    await workOff(queue);
    const after = await queue.failed.find(['a1']);
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ attempts: 1, failedAtMs: clock.now() });
    expect(after[0]?.uuid).not.toBe(before[0]?.uuid);
  });

  test('stay on record while a job of their id is live: that one may be another', async () => {
    const { queue, job, a } = await setUp(config);
    await queue.push(job, 'other data', { id: 'a1' });
    const retried = await queue.failed.retry(await queue.failed.find(['a1']));
    expect(retried).toMatchObject([{ outcome: 'already-there', job: { jobId: 'a1' } }]);
    expect(await a.store.size('default')).toMatchObject({ ready: 1 });
    expect(await queue.failed.find(['a1'])).toMatchObject([
      { payload: expect.stringContaining('data of a1') },
    ]);
  });

  test('that are gone are told as not found', async () => {
    const { queue } = await setUp(config);
    const failed = await queue.failed.find(['a1']);
    await queue.failed.retry(failed);
    expect(await queue.failed.retry(failed)).toMatchObject([{ outcome: 'not-found', job: { jobId: 'a1' } }]);
    expect(await queue.size()).toMatchObject({ ready: 1 });
  });
});

describe('a retry into another store', () => {
  test('that could not push keeps the record', async () => {
    const { queue, a } = await setUp({ failed: { connection: 'graves' } });
    a.faults.refuse('push');
    await expect(queue.failed.retry(await queue.failed.find(['a1']))).rejects.toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
    });
    expect(await queue.failed.find(['a1'])).toHaveLength(1);
  });

  test('that was cut short before it forgot a job with a generated id forgets it when it sees it live', async () => {
    const { queue, graves, job } = await setUp({ failed: { connection: 'graves' } });
    const id = await queue.push(job, 'data');
    await workOff(queue);
    const failed = await queue.failed.find([id]);
    graves.faults.refuse('failedJobs.forget');
    await expect(queue.failed.retry(failed)).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    expect(await queue.failed.retry(failed)).toMatchObject([{ outcome: 'retried' }]);
    expect(await queue.failed.find([id])).toEqual([]);
    expect(await queue.size()).toMatchObject({ ready: 1 });
  });

  test('goes in batches: of jobs in one queue, and not too large', async () => {
    const { queue, a, graves } = await setUp({ failed: { connection: 'graves' } });
    const big = 'x'.repeat(400_000);
    await queue.failed.flush();
    const records = (['small', 'large'] as const).flatMap((size) =>
      Array.from({ length: size === 'small' ? 250 : 5 }, (_, index) =>
        failedJob({
          uuid: `${size}-${index}`,
          jobId: `${size}-${index}`,
          connection: 'a',
          queue: size,
          payload: size === 'small' ? '{}' : big,
        }),
      ),
    );
    await graves.store.failedJobs?.record(records);
    const calls = a.faults.calls('push');
    const retried = await queue.failed.retry(records);
    expect(retried.map(({ outcome }) => outcome)).toEqual(records.map(() => 'retried'));
    expect(retried.map(({ job }) => job.uuid)).toEqual(records.map(({ uuid }) => uuid));
    expect(a.faults.calls('push') - calls).toBe(3 + 3);
    expect(await queue.size('small')).toMatchObject({ ready: 250 });
    expect(await queue.failed.list()).toEqual([]);
  });

  test('that could not forget the record may be repeated: one job', async () => {
    const { queue, graves } = await setUp({ failed: { connection: 'graves' } });
    graves.faults.refuse('failedJobs.forget');
    const failed = await queue.failed.find(['a1']);
    await expect(queue.failed.retry(failed)).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    await queue.failed.retry(failed);
    expect(await queue.size()).toMatchObject({ ready: 1 });
  });

  test('of a connection that the config has no more leaves that record, and retries the others', async () => {
    const { graves, uuidOf, queue } = await setUp({ failed: { connection: 'graves' } });
    const failed = await queue.failed.list();
    const smaller = createQueue({
      default: 'b',
      connections: { b: memory(), graves },
      failed: { connection: 'graves' },
    });
    // The newest record, the first to be retried, is of the connection that went.
    await smaller.failed.retry(failed).catch(() => {});
    expect(await uuidOf('a1')).toBeDefined();
    expect(await uuidOf('a2')).toBeDefined();
    expect(await uuidOf('b1')).toBeUndefined();
    expect(await smaller.size('bs')).toMatchObject({ ready: 1 });
  });
});

test('without a place for failed jobs there are none', async () => {
  const queue = createQueue({ connections: { default: memory() }, failed: 'none' });
  expect(await queue.failed.list()).toEqual([]);
  expect(await queue.failed.find(['x'])).toEqual([]);
  expect(await queue.failed.forget(['x'])).toBe(0);
  expect(await queue.failed.flush()).toBe(0);
});
