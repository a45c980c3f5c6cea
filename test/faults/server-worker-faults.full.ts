import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import type { Duration, JobContext, Queue } from '../../src/index.js';
import { within } from '../support/deferred.js';
import {
  containing,
  type FaultKind,
  type FaultProxy,
  type Matcher,
  startFaultProxy,
} from '../support/fault-proxy.js';
import { handlerInBlackHole, oneJob, workUntil } from '../support/one-job.js';
import { namesOf } from '../support/recorder.js';
import { until } from '../support/redis-refusals.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

/** A reserve has the queue's name among its values, by itself or in a list; what workers say of themselves is JSON. */
const isReserve: Matcher = (asked) => /[^"\\]errands[^"\\]|\{"errands"\}/.test(asked.toString('latin1'));
const empty = { ready: 0, delayed: 0, reserved: 0 };
const kinds: readonly FaultKind[] = [
  'lose-reply',
  'half-reply',
  'cut-before',
  'half-open',
  'late',
  'swallow',
];
/** Those after which the server has done what it was asked. */
const isDone = (kind: FaultKind): boolean => kind !== 'cut-before' && kind !== 'swallow';

describe.each(serverKinds)('a worker on %s', (server) => {
  const sandbox = new ServerSandbox(server);
  let proxy: FaultProxy;
  const closing: Queue[] = [];
  beforeAll(async () => {
    await sandbox.make();
    await sandbox.open().migrate();
    proxy = await startFaultProxy(Number(new URL(sandbox.url).port));
  });
  afterEach(async () => {
    proxy.heal();
    await Promise.all(closing.splice(0).map((queue) => queue.close()));
    await sandbox.sql('DELETE FROM jobs; DELETE FROM failed_jobs');
  });
  afterAll(async () => {
    proxy.cut();
    await proxy.close();
    await sandbox.clean();
  });

  const throughProxy = (): string => sandbox.urlAt(proxy.port);

  /** A queue through the proxy whose one job is done by `handle`, and what came of its jobs. */
  function setUp(handle: (context: JobContext<unknown>) => unknown, lease: Duration = '20s', tries = 2) {
    // Telling others of a push takes a connection of its own, which is met by no fault here.
    const quiet = server === 'postgres' ? { notify: false } : {};
    const driver = database({
      url: throughProxy(),
      queue: 'errands',
      lease,
      commandTimeout: '500ms',
      ...quiet,
    });
    const made = oneJob(driver, handle, { worker: { timeout: 0, sleep: 0.05 }, tries });
    closing.push(made.queue);
    return made;
  }

  /** The token under which the one job is held: whatever is asked about it has that in it. */
  async function tokenOfJob(): Promise<Matcher> {
    const [row] = await sandbox.sql('SELECT lease_token AS token FROM jobs');
    return containing(String(row?.token));
  }

  describe.each(kinds)('whose request meets %s', (kind) => {
    /** Plans the fault for the settlement of the job that runs now. */
    async function planned(): Promise<void> {
      const fault = proxy.plan(kind, await tokenOfJob());
      // A request that is carried out once its client has given it up.
      if (kind === 'late') void fault.deliver();
    }

    test('push: stored once, though it is repeated, and told as open where that is so', async () => {
      const { queue, job } = setUp(() => {});
      await queue.push(job, null, { id: 'before' });
      const fault = proxy.plan(kind, containing('job-a'));
      const error = await queue.push(job, null, { id: 'job-a' }).catch((thrown: unknown) => thrown);
      await within(fault.happened, kind);
      if (kind === 'late') await within(fault.deliver(), 'the late delivery');
      if (error !== 'job-a') expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', ambiguous: true });
      const stored = async () => (await sandbox.sql(`SELECT job_id FROM jobs WHERE job_id = 'job-a'`)).length;
      if (isDone(kind)) await until(async () => (await stored()) === 1);
      await queue.push(job, null, { id: 'job-a' });
      expect(await stored()).toBe(1);
    });

    test('reserve: the job runs once, after its lease where it was taken', async () => {
      const { queue, job, events } = setUp(() => {}, '2s');
      await queue.push(job, null, { id: 'job-a' });
      const fault = proxy.plan(kind, isReserve);
      const working = workUntil(queue, events, 2);
      await within(fault.happened, kind);
      if (kind === 'late') await within(fault.deliver(), 'the late delivery');
      await working;
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(await queue.size()).toEqual(empty);
    });

    test('delete: the job is done, and runs once', async () => {
      const { queue, job, events } = setUp(planned);
      await queue.push(job, null, { id: 'job-a' });
      await workUntil(queue, events, 2);
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(await queue.size()).toEqual(empty);
    });

    test('release: the job is released once and runs again once', async () => {
      const { queue, job, events } = setUp(async ({ job: current }) => {
        if (current.attempts() > 1) return;
        await planned();
        throw new Error('not yet');
      });
      await queue.push(job, null, { id: 'job-a' });
      await workUntil(queue, events, 4);
      expect(namesOf(events)).toEqual(['job:started', 'job:released', 'job:started', 'job:done']);
      expect(events.map(({ attempts }) => attempts)).toEqual([1, 1, 2, 2]);
      expect(await queue.size()).toEqual(empty);
    });

    test('fail: the job is recorded once, and its hook is called once', async () => {
      const boom = async () => {
        await planned();
        throw new Error('boom');
      };
      const { queue, job, events, failures } = setUp(boom, '20s', 1);
      await queue.push(job, null, { id: 'job-a' });
      await workUntil(queue, events, 2);
      expect(namesOf(events)).toEqual(['job:started', 'job:failed']);
      expect(await queue.failed.list()).toMatchObject([{ jobId: 'job-a', attempts: 1 }]);
      expect(failures).toHaveLength(1);
      expect(await queue.size()).toEqual(empty);
    });

    test('extend: the lease is extended after all, and the job runs once', async () => {
      const endOfLease = async () =>
        Number((await sandbox.sql('SELECT available_at AS ends FROM jobs'))[0]?.ends);
      const { queue, job, events } = setUp(async ({ signal }) => {
        const fault = proxy.plan(kind, await tokenOfJob());
        const first = await endOfLease();
        await fault.happened;
        await until(async () => (await endOfLease()) > first);
        signal.throwIfAborted();
      }, '4500ms');
      await queue.push(job, null, { id: 'job-a' });
      await workUntil(queue, events, 2);
      expect(namesOf(events)).toEqual(['job:started', 'job:done']);
      expect(await queue.size()).toEqual(empty);
    });
  });

  test('in a black hole that outlasts the lease the handler is told, and the worker goes on after it', async () => {
    const reasons: unknown[] = [];
    const { queue, job, events } = setUp(
      handlerInBlackHole(() => proxy.blackHole(), reasons),
      '1500ms',
    );
    await queue.push(job, null, { id: 'job-a' });
    const healed = (async () => {
      await until(() => reasons.length > 0);
      const lapsed = async () =>
        Number((await sandbox.sql('SELECT available_at AS at FROM jobs'))[0]?.at) < (await sandbox.now());
      await until(lapsed);
      proxy.heal();
    })();
    await workUntil(queue, events, 4);
    await healed;
    expect(reasons).toMatchObject([{ code: 'E_LEASE_LOST' }]);
    expect(namesOf(events)).toEqual(['job:started', 'job:lost', 'job:started', 'job:done']);
    expect(await queue.size()).toEqual(empty);
  });
});
