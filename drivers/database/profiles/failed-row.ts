import type { Driver, FailedJob } from '../../../src/index.js';
import { fieldsOf, partsOfException, textOf } from './exception-text.js';
import type { LocalTime } from './local-time.js';
import { withAttemptsReset } from './top-level-attempts.js';

/** A row of PHP's table of failed jobs. */
export interface FailedRow {
  readonly id: number | string;
  /** Laravel's. */
  readonly uuid: string | null;
  readonly connection: string;
  readonly queue: string;
  readonly payload: string;
  readonly exception: string;
  /** `YYYY-MM-DD HH:MM:SS` of the PHP application's time zone. */
  readonly failed_at: string | null;
}

/** The values of a new row, but for Laravel's uuid: connection, queue, payload, exception, time. */
export function valuesOf(failure: FailedJob, time: LocalTime): [string, string, string, string, string] {
  const { connection, queue, payload, failedAtMs } = failure;
  return [connection, queue, payload, textOf(failure), time.textOf(failedAtMs)];
}

/** The uuid that Laravel keeps a failed job under: the job's own, where it has one. */
export function uuidOf({ payload, uuid }: FailedJob): string {
  try {
    const { uuid: own } = JSON.parse(payload);
    return typeof own === 'string' && /^[\w-]{1,255}$/.test(own) ? own : uuid;
  } catch {
    return uuid;
  }
}

/**
 * The record that a row keeps, under the id that PHP's commands take. PHP writes no more than its columns hold; what
 * they leave open is `max-tries`, from nowhere.
 */
export function failedJobOf(row: FailedRow, wire: NonNullable<Driver['wire']>, time: LocalTime): FailedJob {
  const decoded = wire.decode(row.payload);
  const name = 'payload' in decoded ? decoded.payload.job : null;
  const parts = partsOfException(row.exception);
  const kept = fieldsOf(row.exception);
  const failedAtMs = time.msOf(row.failed_at ?? '') || 0;
  const uuid = row.uuid ?? String(row.id);
  const unknown = {
    jobId: uuid,
    name,
    causes: [],
    attempts: 0,
    reason: 'max-tries',
    host: '',
    pid: 0,
  } as const;
  return {
    ...unknown,
    ...parts,
    ...kept,
    // Milliseconds where they are known.
    failedAtMs:
      kept && Math.floor(kept.failedAtMs / 1000) * 1000 === failedAtMs ? kept.failedAtMs : failedAtMs,
    uuid,
    connection: row.connection,
    queue: row.queue,
    payload: withAttemptsReset(row.payload),
  };
}
