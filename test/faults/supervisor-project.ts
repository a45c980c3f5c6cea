import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CliProject, type RunningCli } from '../support/cli.js';

const root = join(import.meta.dirname, '../..');

/** For `--require`: worker processes have no watchdog then. */
const noWatchdog = `require('node:worker_threads').Worker = class { on() {} unref() {} };`;

/** Handlers that bring down the process they run in, each in its way, and some that suffer with them. */
const jobsText = `
import { execSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

const until = async (file) => {
  while (!existsSync(file)) await sleep(10);
};
/** All jobs of a test are under way before one of them does harm. */
const together = () => sleep(100);
const one = (name, handle, settings) => defineJob({ name, tries: 1, handle, ...settings });

export const counts = one('counts', () => {});
/** Writes its id down at once. */
export const notes = one('notes', ({ job }) => appendFileSync('ran', job.id + '\\n'));
/** Is killed in the middle of its turn, once. */
export const dies = one('dies', ({ job }) => {
  appendFileSync('ran', job.id + '\\n');
  if (existsSync('died')) return;
  appendFileSync('died', '');
  process.kill(process.pid, 'SIGKILL');
});
export const nap = one('nap', () => sleep(300), { tries: 3 });
export const waits = one('waits', () => until('go'), { timeout: 0 });
export const loops = one('loops', async function loops() {
  await together();
  while (true); // the line that is stuck
});
export const matches = one('matches', async () => {
  await together();
  /^(a+)+$/.test('a'.repeat(60) + 'b'); // the line that is stuck
});
export const sleeps = one('sleeps', async () => {
  await together();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // the line that is stuck
});
export const native = one('native', async () => execSync('cut -d" " -f5 /proc/$$/stat >> groups; echo $$ >> pids; exec sleep 600'));
export const spins = one('spins', () => { for (;;); }, { timeout: 0 });
export const exits = one('exits', async ({ data }) => {
  await together();
  process.exit(data); // the line that exits
});
export const hoards = one('hoards', async () => {
  await together();
  for (const kept = []; ; ) kept.push(new Array(100_000).fill(Math.random()));
}, { tries: 2, backoff: 0 });
export const grows = one('grows', () => {
  globalThis.kept = Buffer.alloc(300 * 1024 * 1024, 1);
});
/** Writes down each run, one append a line. */
export const step = one('step', async ({ job, data }) => {
  appendFileSync('ran', job.id + ' started ' + job.attempts() + '\\n');
  await sleep(data);
  appendFileSync('ran', job.id + ' ended ' + job.attempts() + '\\n');
}, { timeout: 0 });
const frozen = Object.freeze(Object.assign(new Error('cold'), { code: 'E_COLD' }));
const hostile = { get message() { throw new Error('not to be read'); } };
const thrown = { undefined, null: null, frozen, hostile, huge: new Error('x'.repeat(5_000_000)) };
export const throws = one('throws', ({ data }) => { throw thrown[data]; });
export const settles = one('settles', async ({ job, data }) => {
  if (data === 'releases' && job.attempts() === 1) await job.release(0);
  if (data === 'deletes') await job.delete();
  if (data !== 'returns' && job.attempts() === 1) throw new Error('after all');
}, { tries: 3 });
export const hooked = one('hooked', () => { throw new Error('boom'); }, {
  failed() { throw new Error('the hook as well'); },
});
export const heeds = one('heeds', ({ signal }) => sleep(600_000, undefined, { signal }), { timeout: 0 });
export const stubborn = one('stubborn', () => sleep(600_000), { timeout: '200ms' });
/** Blocks its event loop for data ms, once. */
export const blocks = one('blocks', ({ data }) => {
  appendFileSync('ran', 'blocks\\n');
  for (const end = Date.now() + data; Date.now() < end; );
}, { timeout: '20s', tries: 3 });
/** Blocks its event loop in a process whose watchdog never was. */
export const unwatched = one('unwatched', async () => { for (;;); }, { timeout: '200ms' });
/** Writes down its data as it came, and what an empty object seems to have. */
export const echoes = one('echoes', ({ data }) => {
  const seen = [];
  for (const key in {}) seen.push(key);
  appendFileSync('ran', JSON.stringify([data, seen]) + '\\n');
});
export const measures = one('measures', ({ data }) => appendFileSync('ran', data.length + '\\n'));
export const complains = one('complains', ({ data }) => { throw new Error(data); });
/** Fails when the file go is there. */
export const falls = one('falls', async () => {
  appendFileSync('ran', 'falls\\n');
  await until('go');
  throw new Error('fell');
}, { timeout: 0 });
/** Its clock jumps by data ms, and stays so for its process. */
export const jumps = one('jumps', ({ data }) => {
  const Clock = Date;
  globalThis.Date = class extends Clock {
    constructor(...parts) { super(...(parts.length > 0 ? parts : [Clock.now() + data])); }
    static now() { return Clock.now() + data; }
  };
});
export const again = one('again', ({ job }) => {
  if (job.attempts() === 1) throw new Error('not yet');
}, { tries: 2, backoff: '100ms' });
/** Its process dies when the first attempt was settled, before it can say so to anyone. */
export const vanishes = one('vanishes', async ({ job, data }) => {
  appendFileSync('ran', data + ' ' + job.attempts() + '\\n');
  if (job.attempts() > 1) return until('end');
  subscribe('drover:job:' + data, () => process.kill(process.pid, 'SIGKILL'));
  if (data === 'done') return;
  await until('go');
  throw new Error('not yet');
}, { tries: 3, backoff: 0, timeout: 0 });
export const stray = one('stray', async () => {
  void Promise.reject(new Error('nobody waits for me'));
  await until('go');
});
`;

/** Where in the job file a stack must point to: the line with this remark. */
export function lineOf(job: string): string {
  const after = jobsText.slice(0, jobsText.indexOf(`'${job}'`)).split('\n').length;
  const lines = jobsText.split('\n').slice(after - 1);
  return `jobs.mjs:${after + lines.findIndex((line) => line.includes('// the line that'))}`;
}

/** A place for the jobs of a project on a server. */
export interface ProjectStore {
  readonly url: string;
  /** Of the tables; of a Redis server the number of the database is enough. */
  readonly prefix?: string;
}

/**
 * A project whose leases outlast any test, so that what comes back was given back.
 *
 * @param store of the jobs; a SQLite file of the project unless told.
 * @param gravesUrl of a Redis server that keeps the failed jobs.
 */
export function faultyProject(
  worker = "timeout: '600ms', grace: '400ms'",
  store?: string | ProjectStore,
  lease = '10m',
  gravesUrl?: string,
): CliProject {
  const options = typeof store === 'string' ? { url: store } : store;
  const onServer = JSON.stringify({ ...options, lease });
  const driver =
    options === undefined
      ? `database({ url: 'sqlite://' + import.meta.dirname + '/queue.sqlite', lease: '${lease}' })`
      : `${options.url.startsWith('redis') ? 'redis' : 'database'}(${onServer})`;
  const graves = gravesUrl ? `, graves: redis({ url: '${gravesUrl}', commandTimeout: '300ms' })` : '';
  const failed = gravesUrl ? "failed: { connection: 'graves' }, default: 'default'," : '';
  const project = new CliProject({
    'drover.config.mjs': `
      import { database } from 'drover/drivers/database';
      import { redis } from 'drover/drivers/redis';
      export default {
        connections: { default: ${driver}${graves} },
        jobs: ['./jobs/*.mjs'],
        worker: { ${worker} },
        ${failed}
      };`,
    'jobs/jobs.mjs': jobsText,
    'no-watchdog.cjs': noWatchdog,
  });
  for (const client of ['ioredis', 'mysql2', 'pg'])
    symlinkSync(join(root, 'node_modules', client), project.path(`node_modules/${client}`));
  return project;
}

/** Starts `queue:work` and answers it with its first worker process. */
export async function startWorker(
  project: CliProject,
  flags: readonly string[],
  env: NodeJS.ProcessEnv = {},
) {
  const running: RunningCli = project.start(['queue:work', '--json', ...flags], { env });
  const { pid } = await running.line({ event: 'worker:started' });
  return { running, pid: Number(pid) };
}
