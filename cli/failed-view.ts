import { withoutCredentials } from '../src/credentials.js';
import type { FailedJob } from '../src/index.js';
import { errorText, type ShownError } from './error-text.js';
import type { Colors } from './output.js';
import { plain, plainLines } from './plain-text.js';
import { tableText } from './table.js';
import { timeText } from './time-text.js';

/** A failed job as one JSON object. */
export function failedObject(job: FailedJob): object {
  const { uuid, jobId, name, queue, connection, attempts, reason, host, pid } = job;
  return {
    uuid,
    id: jobId,
    name,
    queue,
    connection,
    failedAt: new Date(job.failedAtMs).toISOString(),
    attempts,
    reason,
    error: { ...errorOf(job), stack: withoutCredentials(job.stack), causes: job.causes.map(errorText) },
    host,
    pid,
    payload: job.payload,
  };
}

/** What a table of failed jobs looks like. */
export interface FailedTableOptions {
  /** The messages are cut to it. */
  readonly width: number;
  /** Whether the connection has a column: where it may be another than one thinks. */
  readonly connections: boolean;
}

/** Failed jobs as a table, one line each. */
export function failedTable(
  jobs: readonly FailedJob[],
  colors: Colors,
  { width, connections }: FailedTableOptions,
): string {
  const rows = jobs.map((job) => [
    plain(job.uuid),
    nameText(job),
    plain(job.queue),
    ...(connections ? [plain(job.connection)] : []),
    timeText(job.failedAtMs),
    String(job.attempts),
    job.reason,
    errorLine(errorOf(job)),
  ]);
  const place = ['queue', ...(connections ? ['connection'] : [])];
  const heading = ['uuid', 'job', ...place, 'failed at', 'attempts', 'reason', 'message'];
  return tableText(heading, rows, colors, { numbers: [heading.indexOf('attempts')], width });
}

/** One failed job in full. */
export function failedDetails(job: FailedJob, colors: Colors): string {
  const facts: [label: string, text: string][] = [
    ['uuid', plain(job.uuid)],
    ['job', nameText(job)],
    ['job id', plain(job.jobId)],
    ['queue', `${plain(job.queue)} of connection ${plain(job.connection)}`],
    ['failed at', `${timeText(job.failedAtMs)} on ${plain(job.host)}, pid ${job.pid}`],
    ['attempts', String(job.attempts)],
    ['reason', job.reason],
    ['error', errorLine(errorOf(job))],
    ...job.causes.map((cause): [string, string] => ['caused by', errorLine(errorText(cause))]),
    ['payload', plain(job.payload)],
  ];
  const lines = facts.map(([label, text]) => `${colors.dim(label.padEnd(10))} ${text}`);
  if (job.stack !== '')
    lines.push(colors.dim('stack'), `  ${plainLines(withoutCredentials(job.stack), '  ')}`);
  return lines.join('\n');
}

function nameText(job: FailedJob): string {
  return job.name === null ? '(unreadable)' : plain(job.name);
}

function errorOf(job: FailedJob): ShownError {
  return errorText({ class: job.errorClass, message: job.message, code: job.errorCode });
}

function errorLine(error: ShownError): string {
  const code = error.code === undefined ? '' : ` [${error.code}]`;
  return plain(`${error.class}${code}: ${error.message}`);
}
