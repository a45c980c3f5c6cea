import type { StatisticsLevel, StatisticsRange, StatisticsRow } from '../../../src/index.js';

/** The columns of the table of statistics; all but the body are the key. */
export const statisticsColumns = ['level', 'started_at', 'source', 'queue', 'name', 'body'] as const;

/** A row as a client hands it out: servers answer big numbers as text. */
export interface StatisticsRecord {
  readonly level: string;
  readonly started_at: number | string;
  readonly source: string;
  readonly queue: string;
  readonly name: string;
  readonly body: string;
}

/** The values of a row, in the order of the columns. */
export function valuesOf({ level, startMs, source, queue, name, body }: StatisticsRow) {
  return [level, startMs, source, queue, name, body] as const;
}

export function statisticsRowOf({
  level,
  started_at,
  source,
  queue,
  name,
  body,
}: StatisticsRecord): StatisticsRow {
  return { level: level as StatisticsLevel, startMs: Number(started_at), source, queue, name, body };
}

/** The bounds of a range in whole numbers that every database takes. */
export function boundsOf({ level, fromMs, untilMs, limit }: StatisticsRange) {
  return {
    levels: level === undefined ? (['live', 'minute', 'hour'] as const) : [level],
    from: Math.ceil(fromMs),
    until: Math.ceil(untilMs),
    limit: limit ?? 1_000_000_000,
  };
}

/** Thrown to roll back a transaction that found a row changed. */
export class RowChanged extends Error {}
