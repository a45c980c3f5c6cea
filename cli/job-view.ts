import type { FoundJob, ListedJob } from '../src/index.js';
import { errorText, type ShownError } from './error-text.js';
import type { Colors } from './output.js';
import { plain, plainLines } from './plain-text.js';
import { tableText } from './table.js';
import { nearTimeText, spanText, timeText } from './time-text.js';

/** A job as one JSON object; @param payload whether its payload is shown. */
export function jobObject(job: ListedJob, payload: boolean): object {
  const { id, name, queue, connection, state, attempts, exceptions } = job;
  const { worker, reason, uuid, result, note, host, pid } = job;
  return {
    id,
    name,
    queue,
    connection,
    state,
    attempts,
    exceptions,
    createdAt: isoOf(job.createdAtMs),
    dueAt: isoOf(job.dueAtMs),
    startedAt: isoOf(job.startedAtMs),
    finishedAt: isoOf(job.finishedAtMs),
    leaseEndsAt: isoOf(job.leaseEndsAtMs),
    worker,
    host,
    pid,
    reason,
    error: job.error && {
      ...shownError(job.error),
      stack: job.error.stack,
      causes: job.error.causes.map(errorText),
    },
    uuid,
    result,
    note,
    ...(payload && { payload: job.payload }),
  };
}

/** A job with how it ended before, as one JSON object. */
export function foundObject(job: FoundJob): object {
  return { ...jobObject(job, true), earlier: job.earlier.map((one) => jobObject(one, false)) };
}

const heading = ['id', 'job', 'queue', 'state', 'attempts', 'created', 'started', 'finished', 'about'];

/** Jobs as a table, one line each, its last column cut to the width. */
export function jobTable(jobs: readonly ListedJob[], nowMs: number, colors: Colors, width: number): string {
  const time = (ms: number | null) => (ms === null ? '-' : nearTimeText(ms, nowMs));
  const rows = jobs.map((job) => [
    plain(job.id ?? '-'),
    plain(job.name ?? '(unreadable)'),
    plain(job.queue),
    job.state,
    String(job.attempts),
    time(job.createdAtMs),
    time(job.startedAtMs),
    time(job.finishedAtMs),
    aboutText(job, nowMs),
  ]);
  return tableText(heading, rows, colors, { numbers: [4], width });
}

/** What matters most of a job in its state. */
function aboutText(job: ListedJob, nowMs: number): string {
  if (job.error) return errorLine(shownError(job.error));
  if (job.state === 'delayed' && job.dueAtMs !== null)
    return `due in ${spanText(Math.max(0, job.dueAtMs - nowMs))}`;
  if (job.worker !== null) return `on ${plain(job.worker)}`;
  if (job.state === 'reserved' && job.leaseEndsAtMs !== null)
    return `lease until ${nearTimeText(job.leaseEndsAtMs, nowMs)}`;
  if (job.state !== 'done') return '';
  const took =
    job.startedAtMs === null || job.finishedAtMs === null ? '' : tookText(job.startedAtMs, job.finishedAtMs);
  return [took, ...(job.result === null ? [] : [plain(job.result)])].join(' ').trim();
}

/** One job in full. */
export function jobDetails(job: FoundJob, nowMs: number, colors: Colors): string {
  const facts: [label: string, text: string][] = [
    ['job', plain(job.name ?? '(unreadable)')],
    ['job id', plain(job.id ?? '-')],
    ['queue', `${plain(job.queue)} of connection ${plain(job.connection)}`],
    ['state', job.state],
    ['attempts', attemptsText(job)],
    ...timeline(job, nowMs),
    ...endFacts(job),
    ...(job.payload === null ? [] : [['payload', plain(job.payload)] as [string, string]]),
  ];
  for (const one of job.earlier) {
    facts.push([
      'before',
      `${one.state} at ${one.finishedAtMs === null ? '-' : timeText(one.finishedAtMs)}, attempts ${one.attempts}`,
    ]);
  }
  const lines = facts.map(([label, text]) => `${colors.dim(label.padEnd(11))} ${text}`);
  if (job.error && job.error.stack !== '') {
    lines.push(colors.dim('stack'), `  ${plainLines(job.error.stack, '  ')}`);
  }
  return lines.join('\n');
}

function attemptsText({ attempts, exceptions }: ListedJob): string {
  return exceptions ? `${attempts}, of which ${exceptions} threw` : String(attempts);
}

/** What is known of when what happened, in that order. */
function timeline(job: ListedJob, nowMs: number): [string, string][] {
  const facts: [string, string][] = [];
  const add = (label: string, ms: number | null, more = '') => {
    if (ms !== null) facts.push([label, `${timeText(ms)}${more}`]);
  };
  const { createdAtMs, dueAtMs, startedAtMs, finishedAtMs } = job;
  add('created at', createdAtMs);
  add('due at', dueAtMs, dueAtMs !== null && dueAtMs > nowMs ? ` (in ${spanText(dueAtMs - nowMs)})` : '');
  add('started at', startedAtMs, job.worker === null ? '' : ` on worker ${plain(job.worker)}`);
  add('lease ends', job.leaseEndsAtMs);
  const label = job.state === 'failed' ? 'failed at' : 'done at';
  const place = job.host === null ? '' : ` on ${plain(job.host)}, pid ${job.pid}`;
  const took = startedAtMs === null || finishedAtMs === null ? '' : ` ${tookText(startedAtMs, finishedAtMs)}`;
  add(label, finishedAtMs, `${took}${place}`);
  return facts;
}

function endFacts({ uuid, reason, error, result, note }: ListedJob): [string, string][] {
  const facts: [string, string | null][] = [
    ['uuid', uuid && plain(uuid)],
    ['reason', reason],
    ['error', error && errorLine(shownError(error))],
    ...(error?.causes ?? []).map((cause): [string, string] => ['caused by', errorLine(errorText(cause))]),
    ['result', result && plain(result)],
    ['result', note && `not kept: ${plain(note)}`],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

function tookText(startedAtMs: number, finishedAtMs: number): string {
  return `after ${spanText(Math.max(0, finishedAtMs - startedAtMs))}`;
}

function shownError({ class: kind, message, code }: NonNullable<ListedJob['error']>): ShownError {
  return errorText({ class: kind, message, code });
}

function errorLine(error: ShownError): string {
  const code = error.code === undefined ? '' : ` [${error.code}]`;
  return plain(`${error.class}${code}: ${error.message}`);
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
