import { type EndedJob, entryIdFrom, type HistoryBounds, type HistoryFilter } from '../../../src/index.js';

/** The columns of the table of ended jobs. */
export const endedColumns = [
  'entry_id',
  'job_id',
  'queue',
  'name',
  'state',
  'attempts',
  'created_at',
  'due_at',
  'started_at',
  'finished_at',
  'host',
  'pid',
  'result',
  'note',
] as const;

/** Their types on PostgreSQL. */
export const endedTypes = endedColumns.map((column) =>
  /_at$/.test(column) ? 'bigint' : column === 'attempts' || column === 'pid' ? 'integer' : 'text',
);

/** A row as a client hands it out: servers answer big numbers as text. */
export interface EndedJobRow {
  readonly entry_id: string;
  readonly job_id: string;
  readonly queue: string;
  readonly name: string | null;
  readonly state: string;
  readonly attempts: number | string;
  readonly created_at: number | string | null;
  readonly due_at: number | string | null;
  readonly started_at: number | string | null;
  readonly finished_at: number | string;
  readonly host: string;
  readonly pid: number | string;
  readonly result: string | null;
  readonly note: string | null;
}

/** The values of a row, in the order of the columns. */
export function valuesOf(ended: EndedJob) {
  const { entryId, jobId, queue, name, state, attempts, host, pid, result, note } = ended;
  const times = [ended.createdAtMs, ended.dueAtMs, ended.startedAtMs, ended.finishedAtMs].map(wholeMs);
  return [entryId, jobId, queue, name, state, attempts, ...times, host, pid, result, note];
}

export function endedJobOf(row: EndedJobRow): EndedJob {
  return {
    entryId: row.entry_id,
    jobId: row.job_id,
    queue: row.queue,
    name: row.name,
    state: row.state as EndedJob['state'],
    attempts: Number(row.attempts),
    createdAtMs: msOf(row.created_at),
    dueAtMs: msOf(row.due_at),
    startedAtMs: msOf(row.started_at),
    finishedAtMs: Number(row.finished_at),
    host: row.host,
    pid: Number(row.pid),
    result: row.result,
    note: row.note,
  };
}

/** The values of a filter: state, queue, name, from which entry id on, and how many. */
export function filterValues({ state, queue, name, sinceMs, limit = 100 }: HistoryFilter) {
  const from = sinceMs === undefined ? '' : entryIdFrom(sinceMs);
  return [state ?? null, queue ?? null, name ?? null, from, Math.max(0, Math.floor(limit))] as const;
}

/** The entry id that all stay from whose time is within the bounds; none sorts below an empty text. */
export function firstToKeep({ sinceMs }: HistoryBounds): string {
  return sinceMs === undefined ? '' : entryIdFrom(sinceMs);
}

function msOf(value: number | string | null): number | null {
  return value === null ? null : Number(value);
}

function wholeMs(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms);
}
