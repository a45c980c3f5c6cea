import { afterEach, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, type Driver, defineJob, QueueError, type ReservedJob } from '../../src/index.js';
import type { WorkerWatch } from '../../src/worker-watch.js';
import { within } from '../support/deferred.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { namesOf, recordEvents } from '../support/recorder.js';

const empty = { ready: 0, delayed: 0, reserved: 0 };
const stop = { controller: new AbortController() };

afterEach(() => {
  stop.controller = new AbortController();
});

/** A watch that writes down what it is told, and wants the jobs of these ids to run alone. */
function recordingWatch(...alone: string[]) {
  const told: string[] = [];
  const held = new Set<ReservedJob>();
  const watch: WorkerWatch = {
    reserved: (jobs) =>
      jobs.map((job) => {
        held.add(job);
        const note = (what: string) => () => void told.push(`${what} ${job.id}`);
        return {
          mustRunAlone: alone.includes(job.id),
          started: note('started'),
          done: note('done'),
          settled: note('settled'),
          ended: () => void held.delete(job),
          run: (handler, ...asIs) => {
            told.push(`runs ${job.id}`);
            return handler.run(...asIs);
          },
        };
      }),
  };
  return { told, held, watch };
}

/** A store that others can read bodies from. */
function readable(): Driver {
  const driver = memory();
  return {
    ...driver,
    connect(context) {
      const connector = driver.connect(context);
      const bodyOf = async ({ queue, id, attempts }: ReservedJob) => {
        const found = await connector.find?.(queue, id);
        return found?.attempts === attempts ? found.body : undefined;
      };
      return Object.assign(connector, {
        bodiesOf: (jobs: readonly ReservedJob[]) => Promise.all(jobs.map(bodyOf)),
      });
    },
  };
}

test('a watch is told of a start before the handler runs, and holds nothing in the end', async () => {
  const job = defineJob({ name: 'job', handle: () => {} });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
  for (const id of ['a', 'b', 'c']) await queue.push(job, null, { id });
  const { told, held, watch } = recordingWatch();
  await queue.worker({ stopWhenEmpty: true }, watch).run();
  const each = (id: string) => [`started ${id}`, `runs ${id}`, `done ${id}`];
  expect(told).toEqual([...each('a'), ...each('b'), ...each('c')]);
  expect([...held]).toEqual([]);
});

test('jobs that must run alone do, and the others run before or after them', async () => {
  let running = 0;
  const most = new Map<string, number>();
  const job = defineJob({
    name: 'job',
    async handle({ job: { id } }) {
      running += 1;
      for (let turn = 0; turn < 20; turn++) {
        most.set(id, Math.max(most.get(id) ?? 0, running));
        await new Promise((resolve) => setImmediate(resolve));
      }
      running -= 1;
    },
  });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
  const ids = ['a', 'b', 'c', 'lone-1', 'd', 'lone-2', 'e', 'f'];
  for (const id of ids) await queue.push(job, null, { id });
  const { held, watch } = recordingWatch('lone-1', 'lone-2');
  const run = queue.worker({ concurrency: 4, stopWhenEmpty: true, sleep: '10ms' }, watch).run();
  expect(await within(run, 'the stop')).toBe('empty');
  expect([most.get('lone-1'), most.get('lone-2')]).toEqual([1, 1]);
  expect(Math.max(...most.values())).toBeGreaterThan(1);
  expect([...most.keys()].sort()).toEqual([...ids].sort());
  expect([...held]).toEqual([]);
  expect(await queue.size()).toEqual(empty);
});

test('a job that waits to run alone is given back at a stop', async () => {
  const job = defineJob({ name: 'job', handle: () => {} });
  const block = defineJob({
    name: 'block',
    handle: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
  });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job, block] });
  await queue.push(block, null, { id: 'block' });
  const { held, watch } = recordingWatch('lone');
  const events = recordEvents(queue);
  const worker = queue.worker({ concurrency: 2, prefetch: 0, shutdownTimeout: '1ms', grace: '1s' }, watch);
  queue.events.on('job:started', () => queue.push(job, null, { id: 'lone' }));
  const run = worker.run(stop.controller.signal);
  await expect.poll(() => held.size).toBe(2);
  stop.controller.abort();
  expect(await within(run, 'the stop')).toBe('signal');
  expect(namesOf(events)).toEqual(['job:started', 'job:given-back']);
  expect([...held]).toEqual([]);
  expect(await queue.size()).toEqual({ ...empty, ready: 2 });
});

test('a paused worker takes no job until it is resumed', async () => {
  const job = defineJob({ name: 'job', handle: () => stop.controller.abort() });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
  const worker = queue.worker({ sleep: '1h' });
  worker.pause();
  const run = worker.run(stop.controller.signal);
  await queue.push(job);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await queue.size()).toEqual({ ...empty, ready: 1 });
  worker.resume();
  expect(await within(run, 'the stop')).toBe('signal');
  expect(await queue.size()).toEqual(empty);
});

test('a store that is away for longer than maxOutage stops the worker', async () => {
  const driver = faulty(memory());
  const queue = createQueue({ connections: { default: driver }, jobs: [] });
  driver.faults.refuse('reserve', storeAway(), 1000);
  expect(await within(queue.worker({ maxOutage: '150ms' }).run(), 'the stop')).toBe('outage');
});

test('what a dead process left is settled by its leases, and nothing where they were lost', async () => {
  const failed: unknown[] = [];
  const job = defineJob({
    name: 'job',
    tries: 2,
    handle: () => {},
    failed: ({ error }) => failed.push((error as Error).message),
  });
  const driver = faulty(memory());
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  for (const id of ['held', 'innocent', 'done', 'charged', 'lost']) await queue.push(job, null, { id });
  await queue.push(job, null, { id: 'last', tries: 1 });
  // As a process does that dies after its reserve.
  const left: ReservedJob[] = [];
  const { watch } = recordingWatch();
  const dead = queue.worker(
    { concurrency: 6, prefetch: 0 },
    {
      reserved: (jobs, bodiesInStore) => {
        left.push(...jobs);
        return watch
          .reserved(jobs, bodiesInStore)
          .map((one) => ({ ...one, run: () => new Promise(() => {}) }));
      },
    },
  );
  void dead.run(stop.controller.signal);
  await expect.poll(() => left.length).toBe(6);
  const byId = new Map(left.map((reserved) => [reserved.id, reserved]));
  const one = (id: string) => byId.get(id) as ReservedJob;
  const charge = {
    action: 'charge',
    reason: 'crashed',
    error: new QueueError('E_CRASHED', 'it died'),
  } as const;
  const stale = one('lost');
  await queue.worker().settleLeft([
    { reserved: one('held'), pid: 4711, started: false, verdict: { action: 'give-back' } },
    { reserved: one('innocent'), pid: 4711, started: true, verdict: { action: 'give-back' } },
    { reserved: one('done'), pid: 4711, started: true, verdict: { action: 'delete' } },
    { reserved: one('charged'), pid: 4711, started: true, verdict: charge },
    { reserved: one('last'), pid: 4711, started: true, verdict: charge },
    {
      reserved: { ...stale, lease: { ...stale.lease, token: 'another' } },
      pid: 4711,
      started: true,
      verdict: { action: 'delete' },
    },
  ]);
  expect(await queue.size()).toEqual({ ready: 2, delayed: 1, reserved: 1 });
  expect(await queue.failed.find(['last'])).toMatchObject([{ reason: 'crashed', attempts: 1, pid: 4711 }]);
  expect(failed).toEqual(['it died']);
});

test('a body that a dead process did not write down is read from the store, unless the job is over', async () => {
  const job = defineJob({ name: 'job', tries: 1, handle: () => {} });
  const driver = faulty(readable());
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  for (const id of ['charged', 'charged-too', 'over']) await queue.push(job, { of: id }, { id });
  const left: ReservedJob[] = [];
  const taking: WorkerWatch = {
    reserved: (jobs, bodiesInStore) => {
      left.push(...jobs.map((one) => ({ ...one, body: '' })));
      const { watch } = recordingWatch();
      return watch.reserved(jobs, bodiesInStore).map((one) => ({ ...one, run: () => new Promise(() => {}) }));
    },
  };
  void queue.worker({ concurrency: 3, prefetch: 0 }, taking).run(stop.controller.signal);
  await expect.poll(() => left.length).toBe(3);
  const over = left.find(({ id }) => id === 'over') as ReservedJob;
  const error = new QueueError('E_CRASHED', 'it died');
  const verdict = { action: 'charge', reason: 'crashed', error } as const;
  driver.faults.refuse('bodiesOf', storeAway(), 1);
  await queue
    .worker()
    .settleLeft([
      ...left
        .filter(({ id }) => id !== 'over')
        .map((reserved) => ({ reserved, pid: 1, started: true, verdict })),
      { reserved: { ...over, attempts: 2 }, pid: 1, started: true, verdict },
    ]);
  const records = await queue.failed.list();
  const charged = records.map(({ payload }) => JSON.parse(payload).data.of);
  expect(charged.sort()).toEqual(['charged', 'charged-too']);
  expect(driver.faults.calls('bodiesOf')).toBe(2); // the jobs of one process share a trip
  expect(await queue.size()).toEqual({ ...empty, reserved: 1 });
});
