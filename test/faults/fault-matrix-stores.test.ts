import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import type { CliProject, Result, RunningCli } from '../support/cli.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { slowDown } from './behind-the-driver.js';
import { faultyProject, startWorker } from './supervisor-project.js';

// Rows of the table in docs/reliability.md, on two stores: what stores and clocks do. Tests run side by side.

vi.setConfig({ testTimeout: 60_000 }); // each waits for the processes of the others as well

let redis: RedisServer;
let databases = 0;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const empty = { ready: 0, delayed: 0, reserved: 0 };
const ranIn = (project: CliProject) => project.read('ran').split('\n').filter(Boolean);

async function stop(...workers: readonly RunningCli[]) {
  for (const worker of workers) worker.kill('SIGTERM');
  const ends = await Promise.all(workers.map((worker) => worker.exited));
  expect(ends.map(({ code }) => code)).toEqual(workers.map(() => 0));
  return ends;
}

/** A Redis database that no other test uses. */
const database = (port = redis.port) => `redis://127.0.0.1:${port}/${databases++}`;

/** @param url of the Redis server that keeps the jobs; without one they are on SQLite. */
function setUp({ onTestFinished }: TestContext, lease: string, url?: string, graves?: string): CliProject {
  const project = faultyProject("timeout: '500ms', grace: '200ms'", url, lease, graves);
  onTestFinished(() => project.remove());
  return project;
}

async function startProxy({ onTestFinished }: TestContext): Promise<FaultProxy> {
  const proxy = await startFaultProxy(redis.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

describe.concurrent.each(['SQLite', 'Redis'])('%s', (store) => {
  const onRedis = store === 'Redis';

  test('F19: a settlement that a dying process could not tell of is repeated, and changes nothing', async (context) => {
    const project = setUp(context, '10m', onRedis ? database() : undefined);
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
    const proxy = await startProxy(context);
    const project = setUp(context, '10m', onRedis ? database() : undefined, database(proxy.port));
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
    expect(await (await project.queue()).failed.find(['mine'])).toHaveLength(1);
    expect(await project.size()).toEqual(empty);
  });

  test('F23: on a slow store jobs take longer, and each still runs once', async (context) => {
    const proxy = await startProxy(context);
    const project = setUp(context, '2s', onRedis ? database(proxy.port) : undefined);
    await project.push('step', 2500, { id: 'long', tries: 3 });
    const { running } = await startWorker(project, ['--workers=0']);
    await running.line({ event: 'job:started', id: 'long' });
    const { running: other } = await startWorker(project, ['--workers=0']);
    const isOver = new AbortController();
    if (onRedis) proxy.pace({ delayMs: 200 });
    const slow = onRedis ? undefined : slowDown(project, isOver.signal);
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await project.push('step', 10, { id, tries: 3 });
    for (const id of ids) {
      const isDone = { event: 'job:done', id, attempts: 1 };
      await Promise.any([running, other].map((worker) => worker.line(isDone)));
    }
    await running.line({ event: 'job:done', id: 'long', attempts: 1 });
    isOver.abort();
    await slow;
    proxy.pace({});
    await stop(running, other);
    expect(ranIn(project).sort()).toEqual(
      [...ids, 'long'].flatMap((id) => [`${id} ended 1`, `${id} started 1`]).sort(),
    );
    expect(await project.size()).toEqual(empty);
  });

  test('F24: after an outage workers come back at moments of their own, and run each job once', async (context) => {
    const server = onRedis ? await startRedis('--appendonly', 'yes') : undefined;
    if (server) context.onTestFinished(() => server.stop());
    const project = setUp(context, '10m', server?.url);
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
    await context.expect.poll(() => done().length, { timeout: 20_000 }).toBeGreaterThan(ids.length);
    await stop(...workers.map(({ running }) => running));

    expect(ranIn(project).sort()).toEqual(ids.flatMap((id) => [`${id} ended 1`, `${id} started 1`]).sort());
    const firstMs = waits.map(([first]) => Number(first?.waitMs));
    expect(new Set(firstMs).size).toBeGreaterThan(1);
    const ms = waits.flat().map(({ waitMs }) => Number(waitMs));
    expect(Math.min(...ms)).toBeGreaterThanOrEqual(80);
    expect(await project.size()).toEqual(empty);
  });
});

const hourMs = 3_600_000;

/** A worker whose clock jumps, once it has worked. */
async function startJumping(project: CliProject, byMs: number): Promise<RunningCli> {
  const id = byMs > 0 ? 'ahead' : 'back';
  await project.push('jumps', byMs, { id });
  const { running } = await startWorker(project, ['--workers=0']);
  await running.line({ event: 'job:done', id });
  return running;
}

test.concurrent('F20 on Redis: clocks of workers jump an hour ahead and back, to which leases and delays pay no heed', async (context) => {
  const project = setUp(context, '1500ms', database());
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
});

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
