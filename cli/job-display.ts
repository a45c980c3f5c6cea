import { endsAttempt } from '../src/events.js';
import type { JobFields, Queue } from '../src/index.js';
import { monotonicMs } from '../src/monotonic.js';
import type { Io } from './io.js';
import type { JobReportOptions } from './job-report.js';
import type { Output } from './output.js';
import { TerminalLines } from './terminal-lines.js';

/** A job that has run for so long has a line that says so, and another after each minute. */
const firstMs = 1000;
const againMs = 60_000;
/** How often it is looked which jobs have. */
const lookMs = 250;

/** A job under way. */
interface Shown {
  readonly fields: JobFields;
  readonly sinceMs: number;
  /** When its next line is due, on the monotonic clock. */
  nextMs: number;
}

/**
 * Shows jobs at a terminal: a line for each attempt that has ended, and one for each that takes its time. Nothing is
 * drawn over: other processes, and what jobs print themselves, write to the same terminal.
 */
export function showJobs(
  events: Queue['events'],
  output: Output,
  { stdout }: Pick<Io, 'stdout'>,
  { recorded }: JobReportOptions,
): void {
  const lines = new TerminalLines(output.colors);
  const width = () => stdout.columns || 120; // a terminal may not know, and say 0
  const running = new Map<string, Shown>();
  events.on('job:*', (event) => {
    const key = `${event.queue} ${event.id}`;
    if (event.event === 'job:started') {
      const now = monotonicMs();
      running.set(key, { fields: event, sinceMs: now, nextMs: now + firstMs });
    } else if (endsAttempt(event)) {
      running.delete(key);
      output.line(lines.ended(event, Date.now(), width(), recorded));
    }
  });
  setInterval(() => {
    const now = monotonicMs();
    for (const shown of running.values()) {
      if (now < shown.nextMs) continue;
      shown.nextMs = now + againMs;
      output.line(lines.running(shown.fields, Date.now(), width(), now - shown.sinceMs));
    }
  }, lookMs).unref();
}
