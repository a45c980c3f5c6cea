import { endsAttempt } from '../../src/events.js';
import type { EventName, JobEvent, Logger, Queue, StopReason, WorkerOptions } from '../../src/index.js';

/** One line that was logged. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const line = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { lines, debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** The starts and ends of attempts, as they come. */
export function recordEvents(queue: Queue): JobEvent[] {
  const events: JobEvent[] = [];
  queue.events.on('job:*', (event) => {
    if (event.event === 'job:started' || endsAttempt(event)) events.push(event);
  });
  return events;
}

/** Their names, in order. */
export function namesOf(events: readonly JobEvent[]): EventName[] {
  return events.map((event) => event.event);
}

/** Runs what is due, and what falls due within 1 ms of real time, then stops. */
export function workOff(queue: Queue, options: WorkerOptions = {}): Promise<StopReason> {
  return queue.worker({ stopWhenEmpty: true, sleep: '1ms', ...options }).run();
}
