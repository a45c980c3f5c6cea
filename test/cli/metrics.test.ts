import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CliProject, type RunningCli } from '../support/cli.js';
import { freePorts } from '../support/free-port.js';
import { get, Scrape } from '../support/prometheus.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { sqliteProject } from './project.js';

let project: CliProject | undefined;
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterEach(async () => {
  await project?.remove();
  project = undefined;
});

afterAll(() => server?.stop());

function sqlite(extra = ''): CliProject {
  project = sqliteProject(extra);
  return project;
}

function redis(extra = ''): CliProject {
  const own = new CliProject({
    'drover.config.mjs': `
import { redis } from 'drover/drivers/redis';
export default {
  connections: { main: redis({ url: '${server.url}', commandTimeout: '1s' }) },
  jobs: ['./jobs/*.mjs'],
  ${extra}
};`,
    'jobs/jobs.mjs': `
import { defineJob } from 'drover';
export const ok = defineJob({ name: 'ok', handle: () => {} });
export const fail = defineJob({ name: 'fail', handle() { throw new Error('no'); } });`,
  });
  symlinkSync(join(import.meta.dirname, '../../node_modules/ioredis'), own.path('node_modules/ioredis'));
  project = own;
  return own;
}

/** Starts a worker whose endpoint takes any free port, and answers where that is. */
async function start(own: CliProject, ...flags: string[]): Promise<{ worker: RunningCli; url: string }> {
  const worker = own.start(['queue:work', '--json', '--metrics-port', '0', ...flags]);
  const { metrics } = await worker.line({ event: 'worker:started' });
  return { worker, url: String(metrics) };
}

const main = { connection: 'main', queue: 'default' };

describe.each([
  ['SQLite', sqlite],
  ['Redis', redis],
])('a worker on %s', (_, make) => {
  test('answers scrapes with what its jobs came to, as Prometheus reads it', async () => {
    const own = make();
    await own.push('ok');
    await own.push('ok');
    await own.push('fail', null, { tries: 1 });
    await own.push('ok', null, { delay: '1h' });
    const { worker, url } = await start(own);
    await worker.linesOf({ event: 'job:done' }, 2);
    await worker.line({ event: 'job:failed' });
    const { type } = await get(`${url}/metrics`);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const told = await Scrape.of(url);
    const attempts = (job: string, outcome: string) =>
      told.value('drover_job_attempts_total', { ...main, job, outcome });
    expect(attempts('ok', 'done')).toBe(2);
    expect(attempts('fail', 'failed')).toBe(1);
    expect(told.value('drover_job_duration_seconds_count', { ...main, job: 'ok' })).toBe(2);
    expect(told.value('drover_job_wait_seconds_count', { ...main, job: 'ok' })).toBe(2);
    expect(told.value('drover_queue_jobs', { ...main, state: 'delayed' })).toBe(1);
    expect(told.value('drover_queue_jobs', { ...main, state: 'ready' })).toBe(0);
    expect(told.value('drover_store_up', { connection: 'main' })).toBe(1);
    const workers = async () => (await Scrape.of(url)).samples('drover_workers');
    // Its first beat comes behind its first jobs.
    await expect.poll(async () => (await workers()).reduce((sum, { value }) => sum + value, 0)).toBe(1);
    expect(told.value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 200, text: 'ok\n' });
    worker.kill('SIGTERM');
    expect((await worker.exited).code).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('probes', () => {
  test('a worker that stops is alive, and not ready', async () => {
    const own = sqlite();
    await own.push('waits');
    const { worker, url } = await start(own);
    await worker.line({ event: 'job:started' });
    worker.kill('SIGTERM');
    await expect.poll(async () => (await get(`${url}/readyz`)).status).toBe(503);
    expect(await get(`${url}/readyz`)).toMatchObject({ text: 'the worker is stopping\n' });
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
    own.write('go', '');
    expect((await worker.exited).code).toBe(0);
  });

  test('a worker whose store is away is alive, and not ready; it still tells what it counted', async () => {
    const own = redis();
    await own.push('ok');
    const { worker, url } = await start(own);
    await worker.line({ event: 'job:done' });
    await server.crash();
    try {
      await expect.poll(async () => (await get(`${url}/readyz`)).status).toBe(503);
      expect((await get(`${url}/readyz`)).text).toMatch(
        /^the store (?:refuses: E_\w+|did not answer within \d+ ms)\n$/,
      );
      expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
      const told = await Scrape.of(url);
      expect(told.value('drover_store_up', { connection: 'main' })).toBe(0);
      expect(told.samples('drover_queue_jobs')).toEqual([]);
      expect(told.value('drover_job_attempts_total', { job: 'ok', outcome: 'done' })).toBe(1);
      await worker.line({ event: 'worker:store-away' });
      expect(
        (await Scrape.of(url)).value('drover_store_errors_total', { connection: 'main' }),
      ).toBeGreaterThan(0);
    } finally {
      await server.restart();
    }
    await expect.poll(async () => (await get(`${url}/readyz`)).status).toBe(200);
    worker.kill('SIGTERM');
    await worker.exited;
  });

  test('nothing else is answered', async () => {
    const { worker, url } = await start(sqlite());
    expect((await get(`${url}/`)).status).toBe(404);
    expect((await get(`${url}/__proto__`)).status).toBe(404);
    expect((await get(`${url}/healthz?now`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect(await head.text()).toBe('');
    worker.kill('SIGTERM');
    await worker.exited;
  });
});

describe('ports', () => {
  test('each worker process has the one after the last, and a fresh one that of the dead', async () => {
    const own = sqlite();
    const first = await freePorts(2);
    const worker = own.start(['work', '--workers', '2', '--metrics-port', String(first), '--json']);
    const started = await worker.linesOf({ event: 'worker:started' }, 2);
    const urls = [first, first + 1].map((port) => `http://127.0.0.1:${port}`);
    expect(started.map(({ metrics }) => metrics).sort()).toEqual(urls);
    for (const url of urls) expect((await get(`${url}/readyz`)).status).toBe(200);
    const [{ pid }] = started as [{ pid: number }];
    process.kill(pid, 'SIGKILL');
    await worker.linesOf({ event: 'worker:started' }, 3);
    for (const url of urls) expect((await get(`${url}/healthz`)).status).toBe(200);
    worker.kill('SIGTERM');
    expect((await worker.exited).code).toBe(0);
  });

  test('the config may name them, for groups as well: counted through all processes', async () => {
    const first = await freePorts(3);
    const own = sqlite(
      `metrics: { port: ${first} }, supervisors: { fast: { workers: 2 }, slow: { queues: ['slow'] } },`,
    );
    const running = own.start(['queue:supervise', '--json']);
    const started = await running.linesOf({ event: 'worker:started' }, 3);
    const ports = started.map(({ metrics }) => Number(new URL(String(metrics)).port));
    expect(ports.sort()).toEqual([first, first + 1, first + 2]);
    const told = await Scrape.of(`http://127.0.0.1:${first + 2}`);
    expect(told.samples('drover_queue_jobs', { queue: 'slow' })).toHaveLength(3);
    // One that runs a single job leaves the port to those that stay.
    expect((await own.run('work', '--once')).code).toBe(0);
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  });

  test('a port in use: exit 2, and what to do', async () => {
    const own = sqlite();
    const { worker, url } = await start(own);
    const { port } = new URL(url);
    for (const workers of ['0', '1']) {
      const { code, stderr } = await own.run('work', '--workers', workers, '--metrics-port', port);
      expect(stderr).toContain(`metrics on 127.0.0.1:${port}: the port is in use`);
      expect(stderr).toContain('fix: Name another with --metrics-port');
      expect(code).toBe(2);
    }
    worker.kill('SIGTERM');
    await worker.exited;
  });

  test.each([
    [['work', '--metrics-port', '70000'], 'there is no port 70000'],
    [['work', '--metrics-port', 'x'], "--metrics-port: 'x' is not a whole number"],
    [['work', '--metrics-host', '::1'], '--metrics-host needs a port'],
  ])('%j: exit 2', async (words, message) => {
    const { code, stderr } = await sqlite().run(...words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('without prom-client: exit 2, and the command that installs it', async () => {
    const own = sqlite();
    own.write(
      'without.mjs',
      `import Module from 'node:module';
const load = Module._load;
Module._load = (name, ...rest) => {
  if (name !== 'prom-client') return load(name, ...rest);
  throw Object.assign(new Error("Cannot find module 'prom-client'"), { code: 'MODULE_NOT_FOUND' });
};`,
    );
    const env = { NODE_OPTIONS: `--import ${own.path('without.mjs')}` };
    const { code, stderr } = await own.start(['work', '--metrics-port', '0'], { env }).exited;
    expect(stderr).toContain(
      'error E_DRIVER_MISSING: the package prom-client, which metrics need, is not installed',
    );
    expect(stderr).toContain('fix: Run: npm install prom-client@15');
    expect(code).toBe(2);
  });
});
