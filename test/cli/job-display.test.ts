import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { showJobs } from '../../cli/job-display.js';
import { reportJob } from '../../cli/job-report.js';
import { createOutput } from '../../cli/output.js';
import { TerminalLines } from '../../cli/terminal-lines.js';
import { QueueEvents } from '../../src/events.js';
import { type JobEndEvent, silentLogger } from '../../src/index.js';

const now = new Date(2026, 10, 21, 8, 45, 9).getTime();
const job = { id: 'id-1', name: 'mail.send', queue: 'default', connection: 'main', attempts: 1 };
const done: JobEndEvent = { event: 'job:done', ...job, durationMs: 12 };
const failed = (message: string): JobEndEvent => ({
  event: 'job:failed',
  ...job,
  name: 'import',
  attempts: 12,
  durationMs: 90_500,
  reason: 'max-tries',
  error: { class: 'TypeError', message },
});

function terminal(env: NodeJS.ProcessEnv = { NO_COLOR: '1' }) {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  const printed: string[] = [];
  stdout.on('data', (text) => printed.push(String(text)));
  return { stdout, printed, output: createOutput({ stdout, env }, false) };
}

describe('lines of a terminal', () => {
  test('stand in columns that grow with what they hold', () => {
    const lines = new TerminalLines(terminal().output.colors);
    const shown = [
      lines.ended(done, now, 200, true),
      lines.ended({ ...done, name: 'a.longer.name', id: 'id-22', queue: 'mail' }, now, 200, true),
      lines.running(job, now, 200, 1234),
      lines.ended(failed('no'), now, 200, true),
    ];
    expect(shown).toEqual([
      '08:45:09  done        mail.send  id-1  default  #1      12 ms',
      '08:45:09  done        a.longer.name  id-22  mail     #1      12 ms',
      '08:45:09  running     mail.send      id-1   default  #1      1.2 s',
      '08:45:09  failed      import         id-1   default  #12   1.5 min  max-tries: TypeError: no  see drover queue:failed id-1',
    ]);
  });

  test('are cut to the width, ids to their ends where it is narrow', () => {
    const lines = new TerminalLines(terminal().output.colors);
    const long = {
      ...failed('x'.repeat(500)),
      name: 'n'.repeat(60),
      id: '01a1fd48-48a1-7000-ab84-4092f2e35daf',
    };
    const wide = lines.ended(long, now, 140, true);
    expect(wide).toHaveLength(140);
    expect(wide).toContain(long.id);
    expect(wide.endsWith('…')).toBe(true);
    const narrow = new TerminalLines(terminal().output.colors).ended(long, now, 100, true);
    expect(narrow.length).toBeLessThanOrEqual(100);
    expect(narrow).toContain('  …4092f2e35daf  ');
  });

  test('have the colour of what became of the job', () => {
    const lines = new TerminalLines(terminal({ FORCE_COLOR: '1' }).output.colors);
    expect(lines.ended(done, now, 200, true)).toContain('\x1b[32mdone');
    expect(lines.ended(failed('no'), now, 200, true)).toContain('\x1b[31mfailed');
    expect(lines.running(job, now, 200, 1)).toContain('\x1b[36mrunning');
  });

  test('hold no control character of a name, an id, a queue or an error', () => {
    const evil = 'a\x1b]0;owned\x07\n[info] fake\r\u009b31m\u202eb\u2028';
    const lines = new TerminalLines(terminal().output.colors);
    const event = { ...failed(evil), name: evil, id: evil, queue: evil };
    for (const line of [lines.ended(event, now, 400, true), lines.running(event, now, 60, 1)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
      expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e\u2028]/);
      expect(line).toContain('\\x1b');
    }
  });
});

describe('jobs at a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('have a line once they have run for a second, each minute after it, and at their end', () => {
    const events = new QueueEvents(silentLogger);
    const { stdout, printed, output } = terminal();
    showJobs(events, output, { stdout }, { recorded: true });
    const words = () => printed.map((line) => line.split(/ +/)[1]);
    events.emit({ event: 'job:started', ...job });
    events.emit({ event: 'job:started', ...job, id: 'quick' });
    events.emit({ ...done, id: 'quick' });
    vi.advanceTimersByTime(900);
    expect(words()).toEqual(['done']);
    vi.advanceTimersByTime(400);
    expect(words()).toEqual(['done', 'running']);
    vi.advanceTimersByTime(59_000);
    expect(words()).toEqual(['done', 'running']);
    vi.advanceTimersByTime(2000);
    expect(words()).toEqual(['done', 'running', 'running']);
    events.emit({ event: 'job:timed-out', ...job, durationMs: 1, timeoutMs: 1 });
    vi.advanceTimersByTime(61_000); // its handler goes on
    expect(words()).toEqual(['done', 'running', 'running', 'running']);
    events.emit(done);
    vi.advanceTimersByTime(120_000);
    expect(words()).toEqual(['done', 'running', 'running', 'running', 'done']);
  });
});

test('--quiet: only what went wrong', () => {
  const { stdout, printed } = terminal();
  const output = createOutput({ stdout, env: { NO_COLOR: '1' } }, false);
  const error = { class: 'Error', message: 'no' };
  const events: JobEndEvent[] = [
    done,
    { event: 'job:released', ...job, durationMs: 1, delayMs: 1, error },
    failed('no'),
    { event: 'job:lost', ...job, durationMs: 1 },
    { event: 'job:unsettled', ...job, durationMs: 1, error },
    { event: 'job:kept', ...job, durationMs: 1 },
  ];
  for (const event of events) reportJob(event, output, { recorded: true, quiet: true });
  expect(printed.map((line) => line.split(/ +/)[2])).toEqual(['failed', 'lost', 'unsettled']);
});
