import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

let project: CliProject;

beforeEach(() => {
  project = sqliteProject();
});

afterEach(() => project.remove());

describe('queue:work --json', () => {
  test('tells that it falls idle, is paused and goes on, and why it stopped', async () => {
    const worker = project.start(['work', '--workers', '0', '--json']);
    const time = expect.any(String);
    const who = { time, pid: worker.process.pid, connection: 'main', queues: ['default'] };
    expect(await worker.line({ event: 'worker:idle' })).toEqual({ event: 'worker:idle', ...who });
    worker.kill('SIGUSR2');
    const why = { paused: ['default'], maintenance: false };
    expect(await worker.line({ event: 'worker:paused' })).toEqual({ event: 'worker:paused', ...who, ...why });
    worker.kill('SIGCONT');
    await worker.line({ event: 'worker:resumed' });
    worker.kill('SIGTERM');
    const { code, lines } = await worker.exited;
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'signal' });
    const told = lines.filter(({ event }) => event === 'worker:started' || event === 'worker:stopped');
    expect(told).toHaveLength(2); // each once, with what the command knows
  });

  test('tells of an exception and of a timeout before what becomes of the job', async () => {
    await project.push('fail', null, { tries: 1 });
    await project.push('heeds', null, { tries: 1, timeout: 1 });
    const { lines } = await project.must('work', '--workers', '0', '--stop-when-empty', '--json');
    const ofJobs = lines.map(({ event }) => String(event)).filter((event) => event.startsWith('job:'));
    expect(ofJobs).toEqual([
      ...['job:started', 'job:exception', 'job:failed'],
      ...['job:started', 'job:timed-out', 'job:failed'],
    ]);
  });

  test('of a process that was killed for a blocked event loop: the timeout, then what becomes of the job', async () => {
    await project.push('spins', null, { tries: 1, timeout: 1 });
    const { lines } = await project.must('work', '--stop-when-empty', '--json');
    const ofJobs = lines.filter(({ event }) => String(event).startsWith('job:'));
    expect(ofJobs).toMatchObject([
      { event: 'job:started', name: 'spins' },
      { event: 'job:timed-out', name: 'spins', timeoutMs: 1000 },
      { event: 'job:failed', name: 'spins', reason: 'timed-out' },
    ]);
  });
});

test('log lines and events of a job have the same fields, under the same names', async () => {
  project.write(
    'jobs/logs.mjs',
    `import { defineJob } from 'drover';
export default defineJob({ name: 'logs', tries: 1, handle({ log }) {
  const error = Object.assign(new TypeError('not today'), { code: 'E_NO' });
  log.warn({ err: error }, 'about to fail');
  throw error;
} });`,
  );
  await project.push('logs');
  const { lines, stderr } = await project.must('work', '--workers', '0', '--stop-when-empty', '--json');
  const logged = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'about to fail');
  const event = lines.find((line) => line.event === 'job:exception');
  const { level, msg, time, ...ofLog } = logged;
  const { event: _, durationMs, time: at, ...ofEvent } = event ?? {};
  expect(Object.keys(ofEvent).sort()).toEqual(['attempts', 'connection', 'error', 'id', 'name', 'queue']);
  expect(ofLog).toEqual(ofEvent);
  expect([level, msg, time, typeof at]).toEqual(['warn', 'about to fail', expect.any(String), 'string']);
  expect(durationMs).toEqual(expect.any(Number));
});

describe('queue:work --quiet', () => {
  test('prints what goes wrong, and nothing else', async () => {
    await project.push('ok');
    await project.push('fail', null, { id: 'two', tries: 2 });
    const { stdout, stderr } = await project.must('work', '--stop-when-empty', '--backoff', '0', '--quiet');
    expect(stdout.trimEnd().split('\n')).toEqual([expect.stringContaining('failed    fail  two')]);
    expect(stderr).toBe('');
  });

  test('has nothing to say with --json: exit 2', async () => {
    const { code, stderr } = await project.run('work', '--workers', '0', '--quiet', '--json');
    expect(code).toBe(2);
    expect(stderr).toContain('--quiet and --json exclude each other');
  });
});
