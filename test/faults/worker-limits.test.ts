import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliProject, Line } from '../support/cli.js';
import { faultyProject } from './supervisor-project.js';

let project: CliProject;

beforeEach(() => {
  project = faultyProject();
});

afterEach(() => project.remove());

const eventsOf = (lines: readonly Line[], event: string) => lines.filter((line) => line.event === event);
const work = (...flags: readonly string[]) => project.start(['queue:work', '--json', ...flags]);

async function pushCounts(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await project.push('counts');
}

describe('one worker process: its limit ends the command', () => {
  test('--memory: exit 12, once its running jobs have ended', async () => {
    await project.push('waits', null, { id: 'beside' });
    const running = work('--memory=300', '--concurrency=2');
    await running.line({ event: 'job:started', id: 'beside' });
    await project.push('grows', null, { id: 'large' });
    await running.line({ event: 'job:done', id: 'large' });
    await project.push('counts', null, { id: 'after' });
    project.write('go', '');
    const { code, lines } = await running.exited;
    expect(code).toBe(12);
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'memory' });
    expect(eventsOf(lines, 'job:done').map(({ id, attempts }) => [id, attempts])).toEqual([
      ['large', 1],
      ['beside', 1],
    ]);
    expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test.each([
    ['--max-jobs=2', 'max-jobs'],
    ['--max-time=300ms', 'max-time'],
  ])('%s: exit 0', async (flag, reason) => {
    await pushCounts(2);
    const { code, lines } = await work(flag).exited;
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason });
    expect(eventsOf(lines, 'worker:replaced')).toEqual([]);
  });
});

describe('several worker processes: each has the limit for itself', () => {
  test('--memory: the one above it lets its jobs end and is replaced; a restart ends the command', async () => {
    await project.push('waits', null, { id: 'beside' });
    const running = work('--workers=2', '--memory=300', '--concurrency=2', '--prefetch=0');
    const [first, second] = await running.linesOf({ event: 'worker:started' }, 2);
    await running.line({ event: 'job:started', id: 'beside' });
    await project.push('grows', null, { id: 'large' });
    await running.line({ event: 'job:done', id: 'large' });
    project.write('go', '');
    const { pid } = await running.line({ event: 'worker:replaced', reason: 'memory', replaced: 1 });
    expect([first?.pid, second?.pid]).toContain(pid);
    await running.linesOf({ event: 'worker:started' }, 3);
    await project.must('queue:restart');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    expect(eventsOf(lines, 'worker:replaced')).toHaveLength(1);
    expect(eventsOf(lines, 'worker:stopped').map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['memory', 'restart']),
    );
    expect(eventsOf(lines, 'job:done').map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  test('--max-time: both are replaced; a signal ends the command', async () => {
    const running = work('--workers=2', '--max-time=1500ms');
    const replaced = await running.linesOf({ event: 'worker:replaced', reason: 'max-time' }, 2);
    expect(replaced.map((line) => line.replaced)).toEqual([1, 2]);
    await running.linesOf({ event: 'worker:started' }, 4);
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  });

  test('--max-jobs: replaced at once as often as it takes; --stop-when-empty ends the command', async () => {
    await pushCounts(9);
    const { code, lines, stderr } = await work(
      '--workers=2',
      '--max-jobs=2',
      '--prefetch=0',
      '--stop-when-empty',
      '--sleep=100ms',
    ).exited;
    expect(code).toBe(0);
    expect(eventsOf(lines, 'job:done')).toHaveLength(9);
    expect(eventsOf(lines, 'worker:replaced')).toHaveLength(4);
    // It did its jobs, however quickly: that is no reason to wait before the next one is started.
    expect(stderr).not.toContain('ended soon after its start');
  });
});

test('`once` in the config: each process runs one job, none is replaced', async () => {
  await project.remove();
  project = faultyProject('once: true');
  await pushCounts(3);
  const { code, lines } = await work('--workers=2').exited;
  expect(code).toBe(0);
  expect(eventsOf(lines, 'worker:replaced')).toEqual([]);
  expect(eventsOf(lines, 'job:done')).toHaveLength(2);
});
