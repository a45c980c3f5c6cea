import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CliProject, isAlive } from '../support/cli.js';
import { configText, sqliteProject } from './project.js';

let project: CliProject;

beforeEach(() => {
  project = sqliteProject();
});

afterEach(() => project.remove());

const listen = (...flags: string[]) =>
  project.start(['queue:listen', '--json', '--sleep', '100ms', ...flags]);

test('each job runs in a process of its own, with the code as it is then', async () => {
  const job = (text: string) => `
      import { defineJob } from 'drover';
      export const version = defineJob({ name: 'version', handle: ({ log }) => log.info({}, '${text} ' + process.pid) });
    `;
  project.write('jobs/version.mjs', job('old'));
  const listener = listen();
  await listener.line({ event: 'listener:started', connection: 'main' });
  await project.push('version', null, { id: 'v1' });
  await listener.line({ event: 'job:done', id: 'v1' });
  project.write('jobs/version.mjs', job('new'));
  await project.push('version', null, { id: 'v2' });
  await listener.line({ event: 'job:done', id: 'v2' });
  listener.kill('SIGTERM');
  const { code, stderr, lines } = await listener.exited;
  expect(code).toBe(0);
  const [, before] = /"msg":"old (\d+)"/.exec(stderr) ?? [];
  const [, after] = /"msg":"new (\d+)"/.exec(stderr) ?? [];
  expect(before).toBeDefined();
  expect(after).toBeDefined();
  expect(before).not.toBe(after);
  expect(lines.at(-1)).toMatchObject({ event: 'listener:stopped', reason: 'signal' });
  expect(lines.filter((line) => String(line.event).startsWith('worker:'))).toEqual([]);
});

test('a job that blocks its event loop is killed with what it started, and the listener goes on', async () => {
  project = sqliteProject("worker: { timeout: '500ms', grace: '200ms', backoff: '200ms' },", "lease: '10m'");
  await project.push('spins', null, { id: 'spin', queue: 'first' });
  await project.push('ok', null, { id: 'next' });
  const listener = listen('--queue', 'first,default', '--timeout', '500ms');
  const killed = await listener.line({ event: 'job:killed' });
  expect(killed).toMatchObject({
    id: 'spin',
    name: 'spins',
    queue: 'first',
    connection: 'main',
    attempts: 1,
  });
  await listener.line({ event: 'job:done', id: 'next' });
  const [child = 0, grandchild = 0] = project.read('pids').split('\n').map(Number);
  expect([isAlive(child), isAlive(grandchild)]).toEqual([false, false]);
  expect(listener.stderr).toContain('killed the process of job spins (spin)');
  expect(listener.stderr).toContain(
    'job spins (spin) blocked its event loop in synchronous code past its timeout',
  );
  // It is released at once, long before its lease would lapse, and runs again with its attempt counted.
  expect(await listener.line({ event: 'job:released', id: 'spin', attempts: 1 })).toBeDefined();
  expect(await listener.line({ event: 'job:started', id: 'spin', attempts: 2 })).toBeDefined();
  listener.kill('SIGTERM');
  expect(await listener.exited).toMatchObject({ code: 0 });
  for (const pid of project.read('pids').split('\n').filter(Boolean))
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
});

test('a handler over its timeout that heeds its signal is settled by its own process', async () => {
  await project.push('heeds', null, { id: 'slow' });
  const listener = listen('--timeout', '200ms', '--delay', '1h');
  const released = await listener.line({ event: 'job:released', id: 'slow' });
  expect(released).toMatchObject({
    delayMs: 3_600_000,
    error: { message: expect.stringContaining('longer than 200 ms') },
  });
  listener.kill('SIGINT');
  const { code, lines } = await listener.exited;
  expect(code).toBe(0);
  expect(lines.filter((line) => line.event === 'job:killed')).toEqual([]);
});

test('a job of its own longer timeout is not killed while its event loop turns', async () => {
  await project.push('waits', null, { id: 'patient', timeout: 60 });
  const listener = listen('--timeout', '100ms');
  await listener.line({ event: 'job:started', id: 'patient' });
  await new Promise((resolve) => setTimeout(resolve, 1500)); // a deaf one would be dead by then
  project.write('go', '');
  await listener.line({ event: 'job:done', id: 'patient' });
});

test('SIGTERM: the running job may end', async () => {
  await project.push('waits', null, { id: 'last' });
  await project.push('ok', null, { id: 'not-this-one' });
  const listener = listen();
  await listener.line({ event: 'job:started', id: 'last' });
  listener.kill('SIGTERM');
  await listener.says('no new jobs');
  project.write('go', '');
  const { code, lines } = await listener.exited;
  expect(code).toBe(0);
  expect(lines.map((line) => line.reason ?? line.event)).toEqual([
    'listener:started',
    'job:started',
    'job:done',
    'signal',
  ]);
});

test('a second signal kills the job with its process group: exit 143', async () => {
  await project.push('spins');
  const listener = listen();
  await listener.line({ event: 'job:started' });
  await expect.poll(() => project.read('pids')).not.toBe('');
  listener.kill('SIGTERM');
  await listener.says('no new jobs');
  listener.kill('SIGTERM');
  expect(await listener.exited).toMatchObject({ code: 143 });
  for (const pid of project.read('pids').split('\n').filter(Boolean))
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
});

test('SIGTERM: a job that cannot end is killed after --shutdown-timeout, exit 0', async () => {
  project = sqliteProject("worker: { grace: '29s' },"); // for handlers that can be aborted, not for this one
  await project.push('spins', null, { id: 'spin' });
  const listener = listen('--timeout', '0', '--shutdown-timeout', '200ms');
  await listener.line({ event: 'job:started' });
  await expect.poll(() => project.read('pids')).not.toBe('');
  listener.kill('SIGTERM');
  const { code, lines } = await listener.exited;
  expect(code).toBe(0);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'job:killed', id: 'spin' }));
  expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 }); // given back
  for (const pid of project.read('pids').split('\n').filter(Boolean))
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
});

test('queue:restart: the running job ends, exit 0', async () => {
  await project.push('waits');
  const listener = listen();
  await listener.line({ event: 'job:started' });
  await project.must('restart');
  project.write('go', '');
  const { code, lines } = await listener.exited;
  expect(code).toBe(0);
  expect(lines.at(-1)).toMatchObject({ event: 'listener:stopped', reason: 'restart' });
});

test('--memory is that of the listener: exit 12', async () => {
  expect(await listen('--memory', '1').exited).toMatchObject({ code: 12 });
});

test('--quiet: what goes wrong, and nothing else; not with --json', async () => {
  await project.push('ok');
  await project.push('fail', null, { id: 'broken', tries: 1 });
  await project.push('waits', null, { id: 'last' });
  const listener = project.start(['queue:listen', '--quiet', '--sleep', '100ms']);
  await expect.poll(async () => (await project.size()).ready).toBe(0);
  project.write('go', '');
  await expect.poll(() => project.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  listener.kill('SIGTERM');
  const { code, stdout, stderr } = await listener.exited;
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toEqual([expect.stringContaining('failed    fail  broken')]);
  expect(stderr).toBe('');
  const { code: refused, stderr: why } = await listen('--quiet').exited;
  expect(refused).toBe(2);
  expect(why).toContain('--quiet and --json exclude each other');
});

test('a job file that cannot be loaded does not end it', async () => {
  await project.push('ok', null, { id: 'patient' });
  project.write('jobs/broken.mjs', 'throw new Error("half written")');
  const listener = listen();
  await listener.says('half written');
  await listener.says('ended with exit code 2 before it ran one');
  project.write('jobs/broken.mjs', '');
  await listener.line({ event: 'job:done', id: 'patient' });
});

test('where no job file is found, its processes say so and take no job', async () => {
  await project.push('ok', null, { id: 'patient' });
  project.write('drover.config.mjs', configText().replace('./jobs/*.mjs', './jbos/*.mjs'));
  const listener = listen();
  await listener.says('no job files were found for ./jbos/*.mjs');
  await listener.says('ended with exit code 2 before it ran one');
  expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
});

test('when the listener itself is killed, its child ends its job and goes', async () => {
  await project.push('waits', null, { id: 'orphan' });
  const listener = listen();
  await listener.line({ event: 'job:started' });
  listener.kill('SIGKILL');
  project.write('go', '');
  await listener.exited; // stdout closes when the child, which holds it through nothing but its own pipe, is gone
  await expect.poll(async () => await project.size()).toMatchObject({ ready: 0, reserved: 0 });
});
