import { endsAttempt } from '../src/events.js';
import type { JobEndEvent, JobEvent } from '../src/index.js';
import { errorText } from './error-text.js';
import type { Colors, Output } from './output.js';
import { plain } from './plain-text.js';
import { nearTimeText, spanText, timeText } from './time-text.js';

/** What is printed of jobs. */
export interface JobReportOptions {
  /** Whether failed jobs are kept, so that it makes sense to point to them. */
  readonly recorded: boolean;
  /** Only what went wrong, and only for people: `--quiet`. */
  readonly quiet?: boolean;
  /** The name that the worker was given, for the objects. */
  readonly worker?: string | undefined;
}

/** Prints what happens to jobs: each event as an object, or one line for people when a job's attempt has ended. */
export function reportJob(
  event: JobEvent,
  output: Output,
  { recorded, quiet = false, worker }: JobReportOptions,
): void {
  if (output.json) output.object(worker === undefined ? jobObject(event) : { ...jobObject(event), worker });
  else if (endsAttempt(event) && (!quiet || wentWrong(event)))
    output.line(jobLine(event, output.colors, recorded));
}

/** The events that `reportJob` prints something of: what nobody prints is not even made. */
export function reportedEvents(
  { json }: Pick<Output, 'json'>,
  { quiet = false }: Pick<JobReportOptions, 'quiet'>,
): readonly JobEventName[] {
  if (json) return ['job:*'];
  return quiet ? wentWrongEvents : endEvents;
}

const wentWrongEvents = ['job:failed', 'job:unsettled', 'job:lost'] as const;
const isEnd: Readonly<Record<JobEndEvent['event'], true>> = {
  'job:done': true,
  'job:failed': true,
  'job:given-back': true,
  'job:kept': true,
  'job:lost': true,
  'job:released': true,
  'job:unsettled': true,
};
const endEvents = Object.keys(isEnd) as JobEndEvent['event'][];

type JobEventName = JobEvent['event'] | 'job:*';

/** What an operator must look at; that a job is tried again is not among it. */
function wentWrong({ event }: JobEndEvent): boolean {
  return wentWrongEvents.some((one) => one === event);
}

/** What became of a job, in one word. */
export function wordOf({ event }: JobEvent): string {
  return event.slice('job:'.length);
}

function jobObject(event: JobEvent): object {
  const error = 'error' in event && event.error ? { error: errorText(event.error) } : {};
  return { time: new Date().toISOString(), ...event, ...error };
}

/** What becomes of a job whose lease nobody ends: taking it again spends a try, and there may be none. */
export const afterLapse = 'it runs again when its lease lapses, or fails where no try is left';

function jobLine(event: JobEndEvent, colors: Colors, recorded: boolean): string {
  const now = Date.now();
  const start = [
    colors.dim(timeText(now)),
    paintOf(event, colors)(wordOf(event).padEnd(8)),
    plain(event.name),
    colors.dim(plain(event.id)),
    `queue=${plain(event.queue)} attempt=${event.attempts}`,
    spanText(event.durationMs),
  ];
  return [...start, ...detailsOf(event, now, recorded)].join('  ');
}

/** What comes next, and why. */
export function detailsOf(event: JobEndEvent, nowMs: number, recorded: boolean): string[] {
  const shown = 'error' in event && event.error ? errorText(event.error) : undefined;
  const error = shown && plain(`${shown.class}: ${shown.message}`);
  switch (event.event) {
    case 'job:released': {
      const again = `again in ${spanText(event.delayMs)} (${nearTimeText(nowMs + event.delayMs, nowMs)})`;
      return error === undefined ? [again] : [again, error];
    }
    case 'job:failed': {
      const what = `${event.reason}: ${error}`;
      return recorded ? [what, `see drover queue:failed ${plain(event.id)}`] : [what];
    }
    case 'job:unsettled':
      return [afterLapse, error ?? ''];
    case 'job:kept':
      return [`left reserved by its handler; ${afterLapse}`];
    case 'job:given-back':
      return ['interrupted by the stop; another worker may take it'];
    case 'job:lost':
      return ['its lease was lost: another worker has it, or it is gone'];
    case 'job:done':
      return [];
  }
}

/** The colour of what became of a job. */
export function paintOf(event: JobEndEvent, colors: Colors): (text: string) => string {
  if (event.event === 'job:done') return colors.green;
  return event.event === 'job:failed' || event.event === 'job:unsettled' ? colors.red : colors.yellow;
}
