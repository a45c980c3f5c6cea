import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOutput } from '../../cli/output.js';
import { statsCharts, statsTables } from '../../cli/stats-view.js';
import type { JobStats, QueueStats, StatsCounts } from '../../src/index.js';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

const plainColors = createOutput({ stdout: process.stdout, env: { NO_COLOR: '1' } }, false).colors;
const minuteMs = 60_000;
const times = { count: 9, meanMs: 20.5, p50Ms: 0.4, p95Ms: 950, p99Ms: 61_000, maxMs: 90_061 };
const none: StatsCounts = { pushed: 0, done: 0, failed: 0, released: 0, timedOut: 0, run: null, wait: null };

function statsOf(jobs: readonly Partial<JobStats>[], done: readonly number[]): QueueStats {
  const untilMs = new Date(2026, 10, 21, 12, 0, 30).getTime();
  const sinceMs = new Date(2026, 10, 21, 12, 0, 0).getTime() - (done.length - 1) * minuteMs;
  const total = done.reduce((sum, one) => sum + one, 0);
  return {
    connection: 'main',
    sinceMs,
    untilMs,
    spanMs: minuteMs,
    total: { ...none, done: total, run: times },
    points: done.flatMap((count, index) =>
      count === 0
        ? []
        : [
            {
              ...none,
              startMs: sinceMs + index * minuteMs,
              spanMs: minuteMs,
              done: count,
              run: { ...times, p95Ms: count },
            },
          ],
    ),
    jobs: jobs.map((job) => ({ queue: 'default', name: 'mail', points: [], ...none, ...job })),
  };
}

describe('what a terminal shows', () => {
  test('tables of counts and times', () => {
    const stats = statsOf(
      [
        { done: 12, pushed: 1200, run: times },
        { queue: 'slow', wait: times },
      ],
      [12],
    );
    expect(statsTables(stats, plainColors)).toBe(`queue    job   pushed  done  failed  released  timed out
default  mail    1200    12       0         0          0
slow     mail       0     0       0         0          0

queue    job   time   mean     p50     p95   p99      max
default  mail  run   21 ms  0.4 ms  950 ms  61 s  1.5 min
slow     mail  wait  21 ms  0.4 ms  950 ms  61 s  1.5 min`);
  });

  test('bars from the first minute to the last, the quiet ones blank', () => {
    const stats = statsOf([], [1, 0, 8, 4, 16, 2, 0]);
    expect(statsCharts(stats, plainColors, 80)).toBe(`by the minute, 11:54:00 to 12:00:30
done      ▁ ▄▂█▁  31, most 16 a minute
run p95   ▁ ▄▂█▁  950 ms, most 16 ms`);
  });

  test('bars fit the terminal: neighbours share one where there are too many', () => {
    const stats = statsOf(
      [],
      Array.from({ length: 120 }, (_, index) => index + 1),
    );
    const [title = '', bars = ''] = statsCharts(stats, plainColors, 80).split('\n');
    expect(title).toContain('10:01:00 to 12:00:30');
    expect(bars.length).toBeLessThanOrEqual(80);
    expect(bars).toMatch(/^done {6}▁+▂+▃+▄+▅+▆+▇+█+ 7260, most 120 a minute$/);
  });

  test('no control character of a name reaches it', () => {
    const name = 'a\x1b[31mred\n\u202eb\u0007';
    const text = statsTables(statsOf([{ name, queue: 'q\x9b', run: times, wait: times }], [1]), plainColors);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('a\\x1b[31mred\\n\\u202eb\\x07');
    expect(text).toContain('q\\x9b');
  });
});

describe('queue:stats', () => {
  let project: CliProject;
  beforeAll(async () => {
    project = sqliteProject();
    await project.push('ok');
    await project.push('ok');
    await project.push('mail.send', null, { queue: 'mail' });
    await project.must(
      'work',
      '--queue',
      'default,mail',
      '--stop-when-empty',
      '--sleep',
      '0',
      '--workers',
      '0',
    );
  });
  afterAll(() => project.remove());

  test('--json: an object for each queue and job, with its minutes', async () => {
    const { lines } = await project.must('queue:stats', '--json');
    expect(lines).toHaveLength(2);
    const one = {
      count: 2,
      meanMs: expect.any(Number),
      p50Ms: expect.any(Number),
      p95Ms: expect.any(Number),
    };
    const time = { ...one, p99Ms: expect.any(Number), maxMs: expect.any(Number) };
    const counts = { done: 2, failed: 0, released: 0, timedOut: 0, run: time, wait: time };
    expect(lines[0]).toEqual({
      connection: 'main',
      queue: 'default',
      name: 'ok',
      since: expect.stringMatching(/^\d{4}-.*:00\.000Z$/),
      until: expect.stringMatching(/^\d{4}-.*Z$/),
      pushed: expect.any(Number),
      ...counts,
      points: expect.any(Array),
    });
    const points = lines[0]?.points as Record<string, unknown>[];
    expect(Object.keys(points[0] ?? {}).sort()).toEqual(
      ['start', 'spanMs', 'pushed', 'done', 'failed', 'released', 'timedOut', 'run', 'wait'].sort(),
    );
    expect(points.reduce((sum, point) => sum + Number(point.done), 0)).toBe(2);
  });

  test('as text, no charts where there is no terminal; by queue, name and time', async () => {
    const { stdout } = await project.must('stats', 'mail', '--since', '2h');
    expect(stdout).toMatch(
      /^queue {2}job {8}pushed {2}done {2}failed {2}released {2}timed out\nmail {3}mail\.send /,
    );
    expect(stdout).toMatch(/\nmail {3}mail\.send {2}run /);
    expect(stdout).not.toContain('default');
    expect(stdout).not.toContain('█');
    expect((await project.must('stats', '--name', 'nobody')).stdout).toMatch(
      /^nothing was counted since \d{4}-/,
    );
    expect(await project.run('stats', '--since', 'yesterday')).toMatchObject({ code: 2 });
  });
});
