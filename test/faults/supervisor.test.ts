import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliProject, isAlive, type Line } from '../support/cli.js';
import { faultyProject, lineOf, startWorker } from './supervisor-project.js';

let project: CliProject;

beforeEach(() => {
  project = faultyProject();
});

afterEach(() => project.remove());

const ofJob = (lines: readonly Line[], id: string) => lines.filter((line) => line.id === id);
const failure = async (id: string) => (await (await project.queue()).failed.find([id]))[0];

async function pushNaps(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `nap-${index}`);
  for (const id of ids) await project.push('nap', null, { id });
  return ids;
}

function expectDoneOnFirstAttempt(lines: readonly Line[], ids: readonly string[]): void {
  for (const id of ids) {
    expect(ofJob(lines, id).filter((line) => line.event === 'job:done')).toMatchObject([{ attempts: 1 }]);
  }
}

describe('a handler that blocks its event loop', () => {
  test.each(['loops', 'matches', 'sleeps'])(
    '%s: among ten, it alone is charged, with the line where it was stuck',
    async (name) => {
      await project.push(name, null, { id: 'stuck' });
      const naps = await pushNaps(9);
      const { lines, stderr } = await project.must('work', '--json', '--stop-when-empty', '--concurrency=10');
      expect(lines).toContainEqual(
        expect.objectContaining({ event: 'job:failed', id: 'stuck', attempts: 1, reason: 'timed-out' }),
      );
      const row = await failure('stuck');
      expect(row?.message).toMatch(
        new RegExp(`job ${name} \\(stuck\\) blocked .* timeout of 600 ms; killed after \\d`),
      );
      expect(row?.stack).toContain(lineOf(name));
      const ran = lines.find((line) => line.event === 'worker:replaced');
      expect(row).toMatchObject({ pid: ran?.pid, host: hostname() });
      expect(stderr).toContain(`job ${name} (stuck) blocked its event loop`);
      expectDoneOnFirstAttempt(lines, naps);
      expect(lines.filter((line) => line.event === 'worker:replaced')).toHaveLength(1);
      expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'empty' });
    },
  );

  test('in a native call there is no stack; what it started goes with it', async () => {
    await project.push('native', null, { id: 'stuck' });
    await project.must('work', '--json', '--stop-when-empty');
    expect(await failure('stuck')).toMatchObject({
      reason: 'timed-out',
      message: expect.stringContaining('in a native call past its timeout of 600 ms'),
    });
    await expect.poll(() => isAlive(Number(project.read('pids')))).toBe(false);
  });
});

describe('a handler that ends its process', () => {
  test.each([0, 7])('process.exit(%i) is charged to the job that called it, with the line', async (code) => {
    const naps = await pushNaps(3);
    await project.push('exits', code, { id: 'gone' });
    const { lines } = await project.must('work', '--json', '--stop-when-empty', '--concurrency=4');
    const row = await failure('gone');
    expect(row).toMatchObject({ reason: 'crashed', attempts: 1 });
    expect(row?.message).toContain(`the handler of job exits (gone) called process.exit(${code})`);
    expect(row?.stack).toContain(lineOf('exits'));
    expectDoneOnFirstAttempt(lines, naps);
  });

  test('out of memory: nobody is charged at first, then who dies alone, until no try is left', async () => {
    const naps = await pushNaps(2);
    await project.push('hoards', null, { id: 'poison' });
    const { running } = await startWorker(project, ['--stop-when-empty', '--concurrency=3'], {
      NODE_OPTIONS: '--max-old-space-size=64',
    });
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    const starts = ofJob(lines, 'poison').filter((line) => line.event === 'job:started');
    expect(starts.map((line) => line.attempts)).toEqual([1, 1, 2]);
    expect(await failure('poison')).toMatchObject({
      reason: 'crashed',
      attempts: 2,
      message: expect.stringContaining('ran alone when its process ended with SIGABRT (exit code 134)'),
    });
    expectDoneOnFirstAttempt(lines, naps);
  });

  test('SIGKILL from outside: its job is given back at once, unspent', async () => {
    await project.push('waits', null, { id: 'victim' });
    await project.push('counts', null, { id: 'held' });
    const { running, pid } = await startWorker(project, ['--max-jobs', '2']);
    await running.line({ event: 'job:started', id: 'victim' });
    process.kill(pid, 'SIGKILL');
    await running.line({ event: 'worker:replaced', pid });
    await running.line({ event: 'job:given-back', id: 'victim' });
    project.write('go', '');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    const died = lines.find((line) => line.event === 'worker:stopped' && line.pid === pid);
    expect(died).toMatchObject({ reason: 'died', signal: 'SIGKILL', suspects: ['default victim'] });
    expectDoneOnFirstAttempt(lines, ['victim', 'held']);
  });
});

test('an error outside any handler: the running job ends, and a fresh process goes on', async () => {
  await project.push('stray', null, { id: 'innocent' });
  await project.push('counts', null, { id: 'next' });
  const { running, pid } = await startWorker(project, ['--timeout=0']);
  await running.says('an error outside any handler');
  project.write('go', '');
  await running.line({ event: 'worker:replaced', pid, reason: 'uncaught' });
  await running.line({ event: 'job:done', id: 'next' });
  running.kill('SIGTERM');
  const { code, lines } = await running.exited;
  expect(code).toBe(0);
  expectDoneOnFirstAttempt(lines, ['innocent', 'next']);
});

test('several processes: one at its limit is replaced, and the command goes on', async () => {
  for (let index = 0; index < 6; index++) await project.push('counts', null, { id: `c${index}` });
  const { running } = await startWorker(project, ['--workers=2', '--max-jobs=2', '--prefetch=0']);
  await running.line({ event: 'worker:replaced', reason: 'max-jobs', replaced: 2 });
  for (let index = 0; index < 6; index++) await running.line({ event: 'job:done', id: `c${index}` });
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
});

describe('without a watchdog', () => {
  const env = { NODE_OPTIONS: '--require ./no-watchdog.cjs' };

  test('a process that is blocked past its timeout is killed by the supervisor, and its job charged', async () => {
    await project.push('unwatched', null, { id: 'stuck' });
    const { running } = await startWorker(project, ['--stop-when-empty'], env);
    expect((await running.exited).code).toBe(0);
    expect(await failure('stuck')).toMatchObject({
      reason: 'timed-out',
      message: expect.stringContaining('in a native call past its timeout of 200 ms'),
    });
  });

  test('a process that somebody has stopped is let alone', async () => {
    const { running, pid } = await startWorker(project, [], env);
    await project.push('step', 100, { id: 'patient', timeout: '200ms' });
    await running.line({ event: 'job:started', id: 'patient' });
    process.kill(pid, 'SIGSTOP');
    await sleep(6000); // twice what a blocked process is given, and a third look
    process.kill(pid, 'SIGCONT');
    await project.push('counts', null, { id: 'after' });
    await running.line({ event: 'job:done', id: 'after' });
    running.kill('SIGTERM');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    expect(lines.filter((line) => line.event === 'worker:replaced')).toEqual([]);
  });
});

describe('the supervisor itself', () => {
  test('stopped, it holds up no job', async () => {
    const { running } = await startWorker(project, ['--concurrency=4']);
    running.kill('SIGSTOP');
    await (await project.queue()).bulk('counts', Array.from({ length: 3000 }));
    await project.push('counts', null, { id: 'last' });
    await running.line({ event: 'job:done', id: 'last' });
    running.kill('SIGCONT');
    running.kill('SIGTERM');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    expect(lines.filter((line) => line.event === 'job:done')).toHaveLength(3001);
  });

  test.each(['waits', 'spins'])('killed, it leaves no process: its worker runs %s', async (name) => {
    project = faultyProject("timeout: '60s', grace: '100ms', shutdownTimeout: '200ms'");
    await project.push(name, null, { id: 'orphan' });
    const { running, pid } = await startWorker(project, []);
    await running.line({ event: 'job:started' });
    running.kill('SIGKILL');
    await running.exited; // when the worker, which holds its stdout, has closed it
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('told to stop, it kills a process that does not hear, and gives the job back: exit 0', async () => {
    project = faultyProject("timeout: '60s', grace: '100ms', shutdownTimeout: '200ms'");
    await project.push('spins', null, { id: 'deaf' });
    const { running, pid } = await startWorker(project, []);
    await running.line({ event: 'job:started' });
    running.kill('SIGTERM');
    expect(await running.exited).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
    expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('SIGUSR2 pauses its workers and SIGCONT lets them go on', async () => {
    const { running } = await startWorker(project, []);
    running.kill('SIGUSR2');
    await running.says('paused: no new jobs until SIGCONT');
    await project.push('counts', null, { id: 'patient' });
    await new Promise((resolve) => setTimeout(resolve, 300)); // a worker that goes on would have taken it
    expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
    running.kill('SIGCONT');
    await running.line({ event: 'job:done', id: 'patient' });
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  });
});
