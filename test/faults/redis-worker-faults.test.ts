import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import type { Script } from '../../drivers/redis/script.js';
import { think3 } from '../../drivers/redis/wire.js';
import type { Duration, JobContext, Queue } from '../../src/index.js';
import { type FaultKind, type FaultProxy, type Matcher, startFaultProxy } from '../support/fault-proxy.js';
import { handlerInBlackHole, oneJob, workUntil } from '../support/one-job.js';
import { namesOf } from '../support/recorder.js';
import { until } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const { scripts } = think3;
let server: RedisServer;
let proxy: FaultProxy;
const closing: Queue[] = [];
beforeEach(async () => {
  server = await startRedis();
  proxy = await startFaultProxy(server.port);
  // So that a request is one EVALSHA, which a fault can be planned for.
  for (const { lua } of [scripts.delete, scripts.extend, scripts.release, scripts.fail, scripts.reserve])
    await server.client.script('LOAD', lua);
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((queue) => queue.close()));
  await proxy?.close();
  await server?.stop();
});

/** A queue through the proxy whose one job is done by `handle`, and what came of its jobs. */
function setUp(handle: (context: JobContext<unknown>) => unknown, lease: Duration = '20s', tries = 2) {
  const url = `redis://127.0.0.1:${proxy.port}`;
  const driver = redis({ url, queue: 'q', lease, commandTimeout: 0.4 });
  const made = oneJob(driver, handle, { worker: { timeout: 0 }, tries });
  closing.push(made.queue);
  return made;
}

/** A request that runs the script for the job `a`. */
function runs({ sha }: Script): Matcher {
  return (asked) => asked.includes(sha) && asked.includes('"id":"a"');
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe.each<FaultKind>(['lose-reply', 'cut-before', 'swallow'])(
  'a worker whose request meets %s',
  (kind) => {
    test('delete: the job is done, and runs once', async () => {
      const { queue, job, events } = setUp(() => {});
      await queue.push(job, null, { id: 'a' });
      const fault = proxy.plan(kind, runs(scripts.delete));
      expect(await queue.worker({ once: true }).run()).toBe('once');
      await fault.happened;
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(await queue.size()).toEqual(empty);
    });

    test('delete and reserve: the job is done, and the next one runs once', async () => {
      const { queue, job, events } = setUp(() => {});
      await queue.push(job, null, { id: 'a' });
      await queue.push(job, null, { id: 'b' });
      const fault = proxy.plan(kind, runs(scripts.reserve));
      const afterwards = fault.happened.then(async () => {
        // The reply that was lost may have been the next job: it is due again when its lease lapses.
        await until(() => events.length >= 2);
        if (kind === 'lose-reply') await server.advance(20_000);
      });
      await workUntil(queue, events, 4);
      await afterwards;
      expect(events.map(({ event, id }) => `${id} ${event}`)).toEqual([
        'a job:started',
        'a job:done',
        'b job:started',
        'b job:done',
      ]);
      expect(events[2]?.attempts).toBe(kind === 'lose-reply' ? 2 : 1);
      expect(await queue.size()).toEqual(empty);
    });

    test('reserve: the job runs once, after its lease where it was taken', async () => {
      const { queue, job, events } = setUp(() => {});
      await queue.push(job, null, { id: 'a' });
      const fault = proxy.plan(kind, (asked) => asked.includes(scripts.reserve.sha));
      const afterwards = fault.happened.then(async () => {
        if (kind === 'lose-reply') await server.advance(20_000);
      });
      await workUntil(queue, events, 2);
      await afterwards;
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(events[0]?.attempts).toBe(kind === 'lose-reply' ? 2 : 1);
      expect(await queue.size()).toEqual(empty);
    });

    test('release: the job is released once and runs again once', async () => {
      const { queue, job, events } = setUp(({ job: current }) => {
        if (current.attempts() === 1) throw new Error('not yet');
      });
      await queue.push(job, null, { id: 'a' });
      const fault = proxy.plan(kind, runs(scripts.release));
      await workUntil(queue, events, 4);
      await fault.happened;
      expect(namesOf(events)).toEqual(['job:started', 'job:released', 'job:started', 'job:done']);
      expect(events.map(({ attempts }) => attempts)).toEqual([1, 1, 2, 2]);
      expect(await queue.size()).toEqual(empty);
    });

    test('fail: the job is recorded once, and its hook is called once', async () => {
      const boom = () => Promise.reject(new Error('boom'));
      const { queue, job, events, failures } = setUp(boom, '20s', 1);
      await queue.push(job, null, { id: 'a' });
      const fault = proxy.plan(kind, runs(scripts.fail));
      await workUntil(queue, events, 2);
      await fault.happened;
      expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
      expect(await queue.failed.list()).toMatchObject([{ jobId: 'a', attempts: 1 }]);
      expect(failures).toHaveLength(1);
      expect(await queue.size()).toEqual(empty);
    });

    test('extend: the lease is extended after all, and the job runs once', async () => {
      const endOfLease = async () =>
        Number((await server.client.zrange('{queues:q}:reserved', '0', '0', 'WITHSCORES'))[1]);
      const fault = proxy.plan(kind, runs(scripts.extend));
      const { queue, job, events } = setUp(async ({ signal }) => {
        const first = await endOfLease();
        await fault.happened;
        const lost = await endOfLease();
        expect(lost > first).toBe(kind === 'lose-reply');
        await until(async () => (await endOfLease()) > lost);
        signal.throwIfAborted();
      }, '3s');
      await queue.push(job, null, { id: 'a' });
      await workUntil(queue, events, 2);
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(await queue.size()).toEqual(empty);
    });
  },
);

test('in a black hole that outlasts the lease the handler is told, and the worker goes on after it', async () => {
  const reasons: unknown[] = [];
  const { queue, job, events } = setUp(
    handlerInBlackHole(() => proxy.blackHole(), reasons),
    '1500ms',
  );
  await queue.push(job, null, { id: 'a' });
  const healed = (async () => {
    await until(() => reasons.length > 0);
    await until(
      async () =>
        Number(await server.client.zcount('{queues:q}:reserved', '-inf', (await server.now()) / 1000)) > 0,
    );
    proxy.heal();
  })();
  await workUntil(queue, events, 4);
  await healed;
  expect(reasons).toMatchObject([{ code: 'E_LEASE_LOST' }]);
  expect(namesOf(events)).toEqual(['job:started', 'job:lost', 'job:started', 'job:done']);
  expect(await queue.size()).toEqual(empty);
});
