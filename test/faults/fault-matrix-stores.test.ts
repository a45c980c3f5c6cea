import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import type { CliProject, Result, RunningCli } from '../support/cli.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { inTier } from '../support/tier.js';
import { slowDown } from './behind-the-driver.js';
import { type MatrixStore, MatrixStores, startKilled } from './matrix-stores.js';
import { faultyProject, type ProjectStore, startWorker } from './supervisor-project.js';

// Rows of the table in docs/reliability.md, on two stores, and on the others in the full tier: what stores
// and clocks do. Tests run side by side.

vi.setConfig({ testTimeout: inTier([60_000], [240_000]).at(-1) ?? 0 }); // each waits for the processes of the others as well

const stores = new MatrixStores();
let gravesDatabases = 0;
/** Of the failed jobs, where those are in another store. */
let graves: RedisServer;

beforeAll(async () => {
  [graves] = await Promise.all([startRedis(), stores.start()]);
});

afterAll(() => Promise.all([graves.stop(), stores.stop()]));

const empty = { ready: 0, delayed: 0, reserved: 0 };
const ranIn = (project: CliProject) => project.read('ran').split('\n').filter(Boolean);

async function stop(...workers: readonly RunningCli[]) {
  for (const worker of workers) worker.kill('SIGTERM');
  const ends = await Promise.all(workers.map((worker) => worker.exited));
  expect(ends.map(({ code }) => code)).toEqual(workers.map(() => 0));
  return ends;
}

/** @param place of the jobs; without one they are on SQLite. */
function setUp(
  { onTestFinished }: TestContext,
  lease: string,
  place?: ProjectStore,
  gravesUrl?: string,
): CliProject {
  const project = faultyProject("timeout: '500ms', grace: '200ms'", place, lease, gravesUrl);
  onTestFinished(() => project.remove());
  return project;
}

/** A proxy before a server, and the URL to it. */
async function startProxy({ onTestFinished }: TestContext, url: string): Promise<[FaultProxy, string]> {
  const proxy = await startFaultProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  return [proxy, url.replace(/:\d+(?=\/|$)/, `:${proxy.port}`)];
}

describe.concurrent.each(inTier<MatrixStore>(['SQLite', 'Redis'], ['MariaDB', 'PostgreSQL']))(
  '%s',
  (store) => {
    test('F19: a settlement that a dying process could not tell of is repeated, and changes nothing', async (context) => {
      const project = setUp(context, '10m', stores.place(store));
      await project.push('vanishes', 'done', { id: 'done' });
      const { running } = await startWorker(project, []);
      await running.line({ event: 'job:lost', id: 'done' });
      await project.push('vanishes', 'released', { id: 'released' });
      await running.line({ event: 'job:started', id: 'released', attempts: 1 });
      const { running: other } = await startWorker(project, ['--workers=0']);
      project.write('go', '');
      await running.line({ event: 'job:lost', id: 'released' });
      const second = { id: 'released', attempts: 2 };
      await Promise.any([running, other].map((worker) => worker.line({ event: 'job:started', ...second })));
      project.write('end', '');
      await Promise.any([running, other].map((worker) => worker.line({ event: 'job:done', ...second })));
      await stop(running, other);
      expect(ranIn(project)).toEqual(['done 1', 'released 1', 'released 2']);
      expect(await (await project.queue()).failed.list()).toEqual([]);
      expect(await project.size()).toEqual(empty);
    });

    test('F21: while the store of failed jobs is away, a job that failed stays, and its handler is not run again', async (context) => {
      const [proxy, gravesUrl] = await startProxy(context, graves.url);
      const project = setUp(context, '10m', stores.place(store), `${gravesUrl}/${gravesDatabases++}`);
      await project.push('falls', null, { id: 'mine' });
      const { running } = await startWorker(project, ['--workers=0', '--concurrency=2']);
      await running.line({ event: 'job:started', id: 'mine' });
      proxy.blackHole();
      proxy.cut();
      project.write('go', '');
      await running.says('could not fail; trying again');
      await project.push('counts', null, { id: 'other' });
      await running.line({ event: 'job:done', id: 'other' });
      expect(await project.size()).toEqual({ ...empty, reserved: 1 });
      proxy.heal();
      proxy.cut();
      await running.line({ event: 'job:failed', id: 'mine', reason: 'max-tries' });
      await stop(running);
      expect(ranIn(project)).toEqual(['falls']);
      const records = async () => (await project.queue()).failed.find(['mine']).catch(() => []); // in 300 ms, or again
      await context.expect.poll(records, { timeout: 60_000 }).toHaveLength(1);
      expect(await project.size()).toEqual(empty);
    });

    test('F23: on a slow store jobs take longer, and each still runs once', async (context) => {
      const place = stores.place(store);
      const [proxy, url] = place ? await startProxy(context, place.url) : [];
      const project = setUp(context, '8s', place && { ...place, ...(url !== undefined && { url }) });
      await project.push('step', 9000, { id: 'long', tries: 3 });
      const { running } = await startWorker(project, ['--workers=0']);
      await running.line({ event: 'job:started', id: 'long' });
      const { running: other } = await startWorker(project, ['--workers=0']);
      const isOver = new AbortController();
      proxy?.pace({ delayMs: 200 });
      const slow = proxy ? undefined : slowDown(project, isOver.signal);
      const ids = ['a', 'b', 'c'];
      for (const id of ids) await project.push('step', 10, { id, tries: 3 });
      for (const id of ids) {
        const isDone = { event: 'job:done', id, attempts: 1 };
        await Promise.any([running, other].map((worker) => worker.line(isDone)));
      }
      await running.line({ event: 'job:done', id: 'long', attempts: 1 });
      isOver.abort();
      await slow;
      proxy?.pace({});
      await stop(running, other);
      expect(ranIn(project).sort()).toEqual(
        [...ids, 'long'].flatMap((id) => [`${id} ended 1`, `${id} started 1`]).sort(),
      );
      expect(await project.size()).toEqual(empty);
    });

    test('F24: after an outage workers come back at moments of their own, and run each job once', async (context) => {
      const server = store === 'SQLite' ? undefined : await startKilled(store);
      if (server) context.onTestFinished(() => server.stop());
      const project = setUp(context, '10m', server?.store);
      await project.push('counts', null, { id: 'first' });
      const workers = await Promise.all(
        Array.from({ length: 4 }, () => startWorker(project, ['--workers=0', '--concurrency=5'])),
      );
      const push = async () => (await project.queue()).bulk('step', Array(200).fill(1));
      /** What a worker writes reaches no file: its disk is full, and nobody else's. */
      const limitFiles = (bytes: string) => {
        const limit = `--fsize=${bytes}:unlimited`;
        for (const { pid } of workers) execFileSync('prlimit', ['--pid', String(pid), limit]);
      };
      if (server) await server.crash();
      else limitFiles('1');
      const early = server ? [] : await push();
      const waits = await Promise.all(
        workers.map(({ running }) => running.linesOf({ event: 'worker:store-away' }, 3)),
      );
      if (server) await server.restart();
      else limitFiles('unlimited');
      const ids = server ? await push() : early;
      const done = () =>
        workers.flatMap(({ running }) => running.lines.filter(({ event }) => event === 'job:done'));
      await context.expect.poll(() => done().length, { timeout: 60_000 }).toBeGreaterThan(ids.length);
      await stop(...workers.map(({ running }) => running));

      expect(ranIn(project).sort()).toEqual(ids.flatMap((id) => [`${id} ended 1`, `${id} started 1`]).sort());
      const firstMs = waits.map(([first]) => Number(first?.waitMs));
      expect(new Set(firstMs).size).toBeGreaterThan(1);
      const ms = waits.flat().map(({ waitMs }) => Number(waitMs));
      expect(Math.min(...ms)).toBeGreaterThanOrEqual(80);
      expect(await project.size()).toEqual(empty);
    });
  },
);

const hourMs = 3_600_000;

/** A worker whose clock jumps, once it has worked. */
async function startJumping(project: CliProject, byMs: number): Promise<RunningCli> {
  const id = byMs > 0 ? 'ahead' : 'back';
  await project.push('jumps', byMs, { id });
  const { running } = await startWorker(project, ['--workers=0']);
  await running.line({ event: 'job:done', id });
  return running;
}

test.concurrent.for(inTier<MatrixStore>(['Redis'], ['MariaDB', 'PostgreSQL']))(
  'F20 on %s: clocks of workers jump an hour ahead and back, to which leases and delays pay no heed',
  async (store, context) => {
    const project = setUp(context, '1500ms', stores.place(store));
    const ahead = await startJumping(project, hourMs);
    await project.push('waits', null, { id: 'held', tries: 3 });
    await ahead.line({ event: 'job:started', id: 'held' });
    const back = await startJumping(project, -hourMs);
    await project.push('counts', null, { id: 'later', delay: '30m' });
    await project.push('again', null, { id: 'by-back' });
    await back.line({ event: 'job:done', id: 'by-back', attempts: 2 });
    await project.push('step', 1700, { id: 'long' });
    await back.line({ event: 'job:done', id: 'long' });
    await stop(back);
    project.write('go', '');
    await ahead.line({ event: 'job:done', id: 'held', attempts: 1 });
    await project.push('again', null, { id: 'by-ahead' });
    await ahead.line({ event: 'job:done', id: 'by-ahead', attempts: 2 });
    await stop(ahead);
    expect(await project.size()).toEqual({ ...empty, delayed: 1 });
  },
);

test.concurrent('F20 on SQLite, where the clock is the host’s: ahead brings one early run, back a longer delay', async (context) => {
  const project = setUp(context, '4s');
  await project.push('waits', null, { id: 'held', tries: 3 });
  const { running: first } = await startWorker(project, []);
  await first.line({ event: 'job:started', id: 'held' });
  const ahead = await startJumping(project, hourMs);
  await ahead.line({ event: 'job:started', id: 'held', attempts: 2 });
  await first.line({ event: 'job:lost', id: 'held' });
  await project.push('counts', null, { id: 'later', delay: '30m' });
  project.write('go', '');
  await ahead.line({ event: 'job:done', id: 'held', attempts: 2 });
  await ahead.line({ event: 'job:done', id: 'later', attempts: 1 });
  await Promise.all([stop(ahead), stop(first)]);
  const back = await startJumping(project, -hourMs);
  await project.push('counts', null, { id: 'after' });
  const { lines } = (await stop(back))[0] as Result;
  expect(lines.filter(({ id }) => id === 'after')).toEqual([]);
  const worked = await project.must('work', '--workers=0', '--stop-when-empty', '--json');
  expect(worked.lines).toContainEqual(
    expect.objectContaining({ event: 'job:done', id: 'after', attempts: 1 }),
  );
  expect(await project.size()).toEqual(empty);
});
