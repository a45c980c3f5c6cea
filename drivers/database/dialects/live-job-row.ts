import type { LiveJob } from '../../../src/index.js';

/** A live job as it stands in its table, and the time by the clock that rules it. */
export interface LiveJobRow {
  readonly job_id: string;
  readonly queue: string;
  readonly payload: string;
  readonly attempts: number | string;
  readonly exceptions: number | string;
  readonly available_at: number | string;
  readonly created_at: number | string;
  readonly reserved_at: number | string | null;
  readonly due_at: number | string;
  readonly now_ms: number | string;
}

/** The values that the statements are given, by name. */
type Value = 'queue' | 'limit' | 'offset' | 'id';

/**
 * The statements that look at live jobs, whole. Plain reads, which lock nothing.
 *
 * @param table quoted.
 * @param now the time in ms as an expression.
 * @param mark what stands for a value, which come in the order queue, limit, offset and queue, id.
 */
export function liveJobStatements(table: string, now: string, mark: (value: Value) => string) {
  const columns = `job_id, queue, payload, attempts, exceptions, available_at, created_at, reserved_at, due_at, ${now} AS now_ms`;
  const peek = (condition: string): string => `
SELECT ${columns} FROM ${table} WHERE queue = ${mark('queue')} AND ${condition}
ORDER BY available_at, id LIMIT ${mark('limit')} OFFSET ${mark('offset')}`;
  return {
    ready: peek(`available_at <= ${now}`),
    delayed: peek(`available_at > ${now} AND reserved_at IS NULL`),
    reserved: peek(`available_at > ${now} AND reserved_at IS NOT NULL`),
    find: `
SELECT ${columns} FROM ${table} WHERE queue = ${mark('queue')} AND job_id = ${mark('id')}`,
  } as const;
}

/** The job that a row stands for. While it is held, `available_at` is the end of its lease. */
export function liveJobOf(row: LiveJobRow): LiveJob {
  const [availableAtMs, createdAtMs, dueAtMs, nowMs] = [
    row.available_at,
    row.created_at,
    row.due_at,
    row.now_ms,
  ].map(Number) as [number, number, number, number];
  const isDue = availableAtMs <= nowMs;
  const isHeld = !isDue && row.reserved_at !== null;
  return {
    id: row.job_id,
    queue: row.queue,
    state: isDue ? 'ready' : isHeld ? 'reserved' : 'delayed',
    body: row.payload,
    attempts: Number(row.attempts),
    exceptions: Number(row.exceptions),
    createdAtMs,
    dueAtMs: isHeld ? dueAtMs : availableAtMs,
    reservedAtMs: isHeld ? Number(row.reserved_at) : null,
    leaseEndsAtMs: isHeld ? availableAtMs : null,
  };
}

/** Whole numbers that every database takes. */
export function pageOf({ limit, offset = 0 }: { readonly limit: number; readonly offset?: number }) {
  return [Math.max(0, Math.floor(limit)), Math.max(0, Math.floor(offset))] as const;
}
