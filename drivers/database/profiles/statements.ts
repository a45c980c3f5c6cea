import type { TableProfile } from './profile.js';

/** The most that `attempts` is set to: its TINYINT UNSIGNED ends at 255, and PHP adds one more or fails for good. */
export const mostAttempts = 254;

/**
 * The statements on one of PHP's tables of jobs, whole. `lapsedBefore` is the last second whose reservations have
 * lapsed; times are seconds.
 *
 * @param table, quote the table, quoted, and how to quote a column.
 */
export function profileStatements(
  { columns, countedOn }: Pick<TableProfile, 'columns' | 'countedOn'>,
  table: string,
  quote: (name: string) => string,
) {
  const [reservedAt, availableAt, createdAt] = [
    columns.reservedAt,
    columns.availableAt,
    columns.createdAt,
  ].map(quote) as [string, string, string];
  const flag = columns.reserved === undefined ? undefined : quote(columns.reserved);
  const isHeld = flag === undefined ? `${reservedAt} IS NOT NULL` : `${flag} = 1`;
  const isFree = flag === undefined ? `${reservedAt} IS NULL` : `${flag} = 0`;
  const [hold, letGo] = flag === undefined ? ['', ''] : [`${flag} = 1, `, `${flag} = 0, `];
  const more = (by: string): string =>
    `attempts = CASE WHEN attempts < ${mostAttempts} THEN attempts + ${by} ELSE ${mostAttempts} END, `;
  const queue = quote('queue');
  const isDue = `((${isFree} AND ${availableAt} <= ?) OR (${isHeld} AND ${reservedAt} <= ?))`;
  const row = `id, ${queue} AS queue, payload, attempts, ${availableAt} AS available_at, ${createdAt} AS created_at,
  CASE WHEN ${isHeld} THEN ${reservedAt} END AS reserved_at`;
  const peek = (condition: string, order: string): string => `
SELECT ${row} FROM ${table} WHERE ${queue} = ? AND ${condition} ORDER BY ${order} LIMIT ? OFFSET ?`;
  const held = `id = ? AND attempts = ? AND ${isHeld}`;
  return {
    push: `
INSERT INTO ${table} (${queue}, payload, attempts, ${flag === undefined ? '' : `${flag}, `}${reservedAt}, ${availableAt}, ${createdAt})
VALUES (?, ?, 0, ${flag === undefined ? '' : '0, '}NULL, ?, ?)`,

    /** Queue, now, lapsedBefore, limit. By id, as PHP has it: its index is of the queue alone. */
    due: `
SELECT ${row} FROM ${table} WHERE ${queue} = ? AND ${isDue} ORDER BY id LIMIT ?`,

    /** The time that reservations count from, and the ids. What lapsed came back as it is taken. */
    take: (count: number) => `
UPDATE ${table}
SET ${countedOn === 'reserve' ? more('1') : more(flag ?? '0')}${hold}${reservedAt} = ?
WHERE id IN (${Array(count).fill('?').join(', ')})`,

    /** The condition that a lease is held: its row, its count and, where it is known, its time. */
    held,
    heldSince: `${held} AND ${reservedAt} = ?`,

    delete: `
DELETE FROM ${table} WHERE `,

    /** When the job is due. */
    release: `
UPDATE ${table}
SET ${countedOn === 'return' ? more('1') : ''}${letGo}${reservedAt} = NULL, ${availableAt} = ?
WHERE `,

    /** When the job is due. The attempt is as it was before. */
    postpone: `
UPDATE ${table}
SET ${countedOn === 'reserve' ? 'attempts = attempts - 1, ' : ''}${letGo}${reservedAt} = NULL, ${availableAt} = ?
WHERE `,

    /** The time that the reservation counts from. */
    extend: `
UPDATE ${table} SET ${reservedAt} = ? WHERE `,

    /** Now, lapsedBefore; lapsedBefore; queue. */
    size: `
SELECT
  SUM(CASE WHEN ${isDue} THEN 1 ELSE 0 END) AS ready,
  SUM(CASE WHEN ${isHeld} AND ${reservedAt} > ? THEN 1 ELSE 0 END) AS reserved,
  COUNT(*) AS jobs
FROM ${table} WHERE ${queue} = ?`,

    /** Queue, now, lapsedBefore. */
    clearReady: `
DELETE FROM ${table} WHERE ${queue} = ? AND ${isDue}`,

    /** Queue, now. */
    clearDelayed: `
DELETE FROM ${table} WHERE ${queue} = ? AND ${isFree} AND ${availableAt} > ?`,

    /** Queue, lapsedBefore. */
    clearReserved: `
DELETE FROM ${table} WHERE ${queue} = ? AND ${isHeld} AND ${reservedAt} > ?`,

    ready: peek(isDue, 'id'),
    delayed: peek(`${isFree} AND ${availableAt} > ?`, `${availableAt}, id`),
    reserved: peek(`${isHeld} AND ${reservedAt} > ?`, `${reservedAt}, id`),
    find: `
SELECT ${row} FROM ${table} WHERE ${queue} = ? AND id = ?`,

    /** Retry_after, then the queues: the second in which the next of their jobs is due. */
    nextDue: (count: number) => `
SELECT MIN(CASE WHEN ${isHeld} THEN ${reservedAt} + ? ELSE ${availableAt} END) AS due
FROM ${table} WHERE ${queue} IN (${Array(count).fill('?').join(', ')})`,
  } as const;
}

/** All texts of {@link profileStatements}. */
export type ProfileStatements = ReturnType<typeof profileStatements>;

/** A row of a table of PHP, however its columns are called. */
export interface ProfileRow {
  readonly id: number | string;
  readonly queue: string;
  readonly payload: string;
  readonly attempts: number | string;
  readonly available_at: number | string;
  readonly created_at: number | string;
  /** Null where nobody has it. */
  readonly reserved_at: number | string | null;
}
