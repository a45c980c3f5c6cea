import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CliProject, isAlive, type Line, type RunningCli } from '../support/cli.js';
import { inTier } from '../support/tier.js';
import { type MatrixStore, MatrixStores, servers } from './matrix-stores.js';
import { faultyProject, lineOf, startWorker } from './supervisor-project.js';

// One test a row of the table in docs/reliability.md, on SQLite, and on the servers in the full tier; the rows that are not here are named there.

const stores = new MatrixStores();
let project: CliProject;

beforeAll(() => stores.start());

afterAll(() => stores.stop());

afterEach(() => project.remove());

const empty = { ready: 0, delayed: 0, reserved: 0 };
const short = "timeout: '700ms', grace: '200ms', shutdownTimeout: '200ms'";
const drain = ['--stop-when-empty', '--json'];

const eventsOf = (lines: readonly Line[], id: string) =>
  lines.filter((line) => line.id === id && line.event !== 'job:started').map((line) => line.event);

async function stopped(running: RunningCli, signal: NodeJS.Signals = 'SIGTERM') {
  running.kill(signal);
  return await running.exited;
}

describe.each(inTier<MatrixStore>(['SQLite'], servers))('%s', (store) => {
  const setUp = (worker?: string, lease?: string) => {
    project = faultyProject(worker, stores.place(store), lease);
  };

  test('F01: supervisor and worker killed: the job runs again when its lease lapses', async () => {
    setUp(short, '1500ms');
    await project.push('step', 60_000, { id: 'mine', tries: 2 });
    const { running, pid } = await startWorker(project, []);
    await running.line({ event: 'job:started', id: 'mine' });
    running.kill('SIGKILL');
    process.kill(-pid, 'SIGKILL');
    await running.exited;
    const next = await startWorker(project, []);
    expect(await next.running.line({ event: 'job:started', id: 'mine' })).toMatchObject({ attempts: 2 });
    await stopped(next.running);
  });

  test('F02: SIGTERM: what does not end in time is given back unspent, exit 0', async () => {
    setUp(short);
    await project.push('heeds', null, { id: 'long' });
    const { running } = await startWorker(project, []);
    await running.line({ event: 'job:started', id: 'long' });
    const { code, lines } = await stopped(running);
    expect(code).toBe(0);
    expect(eventsOf(lines, 'long')).toEqual(['job:given-back']);
    expect(await project.size()).toEqual({ ...empty, ready: 1 });
  });

  test('F04: a handler that ignores its timeout is settled, and its process replaced', async () => {
    setUp(short);
    await project.push('stubborn', null, { id: 'deaf' });
    await project.push('counts', null, { id: 'next' });
    const { running } = await startWorker(project, []);
    await running.line({ event: 'worker:replaced', reason: 'stuck' });
    await running.line({ event: 'job:done', id: 'next' });
    const { code, lines } = await stopped(running);
    expect(code).toBe(0);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'job:failed', id: 'deaf', reason: 'timed-out', attempts: 1 }),
    );
  });

  test('F05, F06, F07, F22: whatever handlers and hooks throw, and however they settle, all goes on', async () => {
    setUp();
    for (const what of ['undefined', 'null', 'frozen', 'hostile', 'huge']) {
      await project.push('throws', what, { id: what });
    }
    for (const how of ['returns', 'deletes', 'releases']) await project.push('settles', how, { id: how });
    await project.push('hooked', null, { id: 'hooked' });
    const { lines } = await project.must('work', ...drain, '--concurrency=3');
    expect(eventsOf(lines, 'returns')).toEqual(['job:done']);
    expect(eventsOf(lines, 'deletes')).toEqual(['job:exception', 'job:done']);
    expect(eventsOf(lines, 'releases')).toEqual(['job:exception', 'job:released', 'job:done']);
    const rows = await (await project.queue()).failed.list();
    expect(rows.map(({ jobId, attempts }) => `${jobId} ${attempts}`).sort()).toEqual(
      ['frozen', 'hooked', 'hostile', 'huge', 'null', 'undefined'].map((id) => `${id} 1`),
    );
    expect(Math.max(...rows.map(({ message }) => message.length))).toBeLessThan(10_000);
    expect(await project.size()).toEqual(empty);
  });

  test('F08: process.exit(0) in a handler is a crash of its attempt', async () => {
    setUp();
    await project.push('exits', 0, { id: 'gone' });
    const { lines } = await project.must('work', ...drain);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'job:failed', id: 'gone', reason: 'crashed' }),
    );
  });

  test('F10: an error outside any handler: the running job ends, a fresh process goes on', async () => {
    setUp("timeout: '0'");
    await project.push('stray', null, { id: 'innocent' });
    const { running, pid } = await startWorker(project, []);
    await running.says('an error outside any handler');
    project.write('go', '');
    await running.line({ event: 'worker:replaced', pid, reason: 'uncaught' });
    const { lines } = await stopped(running);
    expect(eventsOf(lines, 'innocent')).toEqual(['job:done']);
  });

  test('F11: a handler that blocks its event loop for longer than the lease runs once', async () => {
    setUp(short, '1s');
    await project.push('blocks', 2500, { id: 'slow' });
    const { running } = await startWorker(project, []);
    await running.line({ event: 'job:started', id: 'slow' });
    const other = await startWorker(project, []);
    await running.line({ event: 'job:done', id: 'slow' });
    await Promise.all([stopped(running), stopped(other.running)]);
    expect(project.read('ran')).toBe('blocks\n');
  });

  test('F12: a restart lets the running job end: exit 0; the worker that starts then goes on', async () => {
    setUp("timeout: '60s'");
    await project.push('waits', null, { id: 'long' });
    const { running } = await startWorker(project, []);
    await running.line({ event: 'job:started', id: 'long' });
    await project.must('queue:restart');
    const next = await startWorker(project, []);
    project.write('go', '');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    const told = lines.filter(({ event }) => event !== 'worker:idle');
    expect(told.slice(-2).map((line) => line.reason ?? line.event)).toEqual(['job:done', 'restart']);
    await project.push('counts', null, { id: 'after' });
    await next.running.line({ event: 'job:done', id: 'after' });
    expect((await stopped(next.running)).lines.at(-1)).toMatchObject({ reason: 'signal' });
  });

  test('F14: above its memory a worker ends after its job: exit 12', async () => {
    setUp();
    await project.push('counts', null, { id: 'last' });
    const { code, lines } = await project.start(['work', '--json', '--memory=1']).exited;
    expect(code).toBe(12);
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'memory' });
    const { ready, reserved } = await project.size();
    expect(ready + lines.filter((line) => line.event === 'job:done').length).toBe(1);
    expect(reserved).toBe(0);
  });

  test('F18: a process stopped for longer than the lease settles nothing of what another took', async () => {
    setUp(short, '1500ms');
    await project.push('waits', null, { id: 'mine', tries: 3 });
    const { running, pid } = await startWorker(project, []);
    await running.line({ event: 'job:started', id: 'mine' });
    process.kill(pid, 'SIGSTOP');
    const other = await startWorker(project, []);
    await other.running.line({ event: 'job:started', id: 'mine', attempts: 2 });
    process.kill(pid, 'SIGCONT');
    await running.line({ event: 'job:lost', id: 'mine' });
    project.write('go', '');
    await other.running.line({ event: 'job:done', id: 'mine', attempts: 2 });
    expect(await project.size()).toEqual(empty);
    await Promise.all([stopped(running), stopped(other.running)]);
    expect(isAlive(pid)).toBe(false);
  });
});

// On SQLite: supervisor.test.ts.
describe.each(inTier<MatrixStore>([], servers))('%s', (store) => {
  test.each(['loops', 'matches', 'sleeps'])(
    'F03: a handler that blocks its event loop (%s) is killed, and recorded with its line',
    async (name) => {
      project = faultyProject(undefined, stores.place(store));
      await project.push(name, null, { id: 'stuck' });
      await project.push('counts', null, { id: 'next' });
      const { lines } = await project.must('work', ...drain);
      expect(eventsOf(lines, 'stuck')).toEqual(['job:timed-out', 'job:failed']);
      expect(eventsOf(lines, 'next')).toEqual(['job:done']);
      const [row] = await (await project.queue()).failed.find(['stuck']);
      expect(row).toMatchObject({ reason: 'timed-out', attempts: 1 });
      expect(row?.stack).toContain(lineOf(name));
      expect(await project.size()).toEqual(empty);
    },
  );

  test('F09: out of memory, who dies alone is charged until no try is left', async () => {
    project = faultyProject(undefined, stores.place(store));
    await project.push('hoards', null, { id: 'poison' });
    const { running } = await startWorker(project, ['--stop-when-empty'], {
      NODE_OPTIONS: '--max-old-space-size=64',
    });
    expect((await running.exited).code).toBe(0);
    expect(await (await project.queue()).failed.find(['poison'])).toMatchObject([
      { reason: 'crashed', attempts: 2 },
    ]);
  });
});
