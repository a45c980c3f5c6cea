import { byCount } from './lists.js';
import { marks, mysqlNow } from './mysql-connection.js';

/**
 * The statements on live jobs, whole, for one quoted table name; a function where the text depends on how many
 * jobs it is about. As on SQLite, `available_at` holds the end of the lease while a job is reserved, so that due,
 * delayed and lapsed jobs are one range of one index (docs/adr/0006).
 *
 * Assignments take effect from left to right, so `due_at` is set before what it is taken from. A token ends
 * with the row's id: a row that has one of the ids and one of the tokens has the two that belong together.
 */
export function mysqlJobStatements(table: string) {
  const held = (count: number): string => `id IN (${marks(count)}) AND lease_token IN (${marks(count)})`;
  const dueRow = `(?, ?, 0, ${mysqlNow}, available_at, available_at, ?)`;
  const row = `(?, ?, 0, GREATEST(${mysqlNow}, COALESCE(?, ${mysqlNow} + ?)), ${mysqlNow}, available_at, ?)`;
  const insert = (count: number, values: string): string => `
INSERT INTO ${table} (job_id, queue, attempts, available_at, created_at, due_at, payload)
VALUES ${Array(count).fill(values).join(',\n       ')}`;
  const take = `
UPDATE ${table}
SET attempts = attempts + 1,
    reserved_at = ${mysqlNow},
    due_at = available_at,
    available_at = ${mysqlNow} + ?,
    lease_token = CONCAT(?, ':', id)`;
  const due = `
SELECT id, job_id, payload, attempts, exceptions, available_at
FROM ${table}
WHERE queue = ? AND available_at <= ${mysqlNow}
ORDER BY available_at, id
LIMIT ?`;
  return {
    push: byCount((count) => insert(count, row)),

    /** Of jobs that are all due at once. */
    pushDue: byCount((count) => insert(count, dueRow)),

    /** Reads what is there now, also in a transaction that began before. */
    stored: (count: number) => `
SELECT job_id FROM ${table} WHERE queue = ? AND job_id IN (${marks(count)}) LOCK IN SHARE MODE`,

    /** Locks what it finds and passes over what others have locked. */
    lockDue: `${due} FOR UPDATE SKIP LOCKED`,

    /**
     * As `lockDue`, in two steps of one statement: looks at the head of the queue without a lock, and locks what it saw,
     * by primary key. A row without a job is one that others have locked or taken.
     */
    lockSeen: `
SELECT job.id, job.job_id, job.payload, job.attempts, job.exceptions, job.available_at
FROM (
  SELECT id FROM ${table} WHERE queue = ? AND available_at <= ${mysqlNow} ORDER BY available_at, id LIMIT ?
) AS head
LEFT JOIN ${table} AS job ON job.id = head.id AND job.queue = ? AND job.available_at <= ${mysqlNow}
FOR UPDATE SKIP LOCKED`,

    takeLocked: byCount(
      (count) => `${take}
WHERE id IN (${marks(count)})`,
    ),

    /** For servers that cannot skip locked rows: looks without a lock. */
    peekDue: due,

    /** Takes the jobs that are still as they were seen. Once delivered, a job has other attempts or another time. */
    takeSeen: (count: number) => `${take}
WHERE id IN (${marks(count)})
  AND (id, available_at, attempts) IN (${Array(count).fill('(?, ?, ?)').join(', ')})`,

    withTokens: (count: number) => `
SELECT id, lease_token FROM ${table} WHERE ${held(count)}`,

    lockHeld: (count: number) => `
SELECT id, lease_token FROM ${table} WHERE ${held(count)} FOR UPDATE`,

    extend: (count: number) => `
UPDATE ${table} SET available_at = ${mysqlNow} + ? WHERE ${held(count)}`,

    delete: byCount(
      (count) => `
DELETE FROM ${table} WHERE ${held(count)}`,
    ),

    /** MariaDB alone can tell what it deleted. */
    deleteReturning: byCount(
      (count) => `
DELETE FROM ${table} WHERE ${held(count)} RETURNING lease_token`,
    ),

    /** @param counting an assignment that counts something on top, or nothing. */
    release: (count: number, counting: '' | `${string},`) => `
UPDATE ${table}
SET ${counting}
    available_at = ${mysqlNow} + CASE id ${'WHEN ? THEN ? '.repeat(count)}ELSE 0 END,
    due_at = available_at,
    reserved_at = NULL,
    lease_token = NULL
WHERE ${held(count)}`,

    unreserve: (count: number) => `
UPDATE ${table}
SET attempts = attempts - 1,
    available_at = due_at,
    reserved_at = NULL,
    lease_token = NULL
WHERE ${held(count)}`,

    longestWait: `
SELECT ${mysqlNow} - MIN(available_at) AS ms FROM ${table} WHERE queue = ? AND available_at <= ${mysqlNow}`,

    size: `
SELECT
  (SELECT COUNT(*) FROM ${table} WHERE queue = ? AND available_at <= ${mysqlNow}) AS ready,
  (SELECT COUNT(*) FROM ${table} WHERE queue = ? AND available_at > ${mysqlNow}) AS later,
  (SELECT COUNT(reserved_at) FROM ${table} WHERE queue = ? AND available_at > ${mysqlNow}) AS reserved`,

    now: `
SELECT ${mysqlNow} AS now`,

    clearReady: `
DELETE FROM ${table} WHERE queue = ? AND available_at <= ?`,

    clearDelayed: `
DELETE FROM ${table} WHERE queue = ? AND available_at > ? AND reserved_at IS NULL`,

    clearReserved: `
DELETE FROM ${table} WHERE queue = ? AND available_at > ? AND reserved_at IS NOT NULL`,
  } as const;
}

/** All texts of {@link mysqlJobStatements}. */
export type MysqlJobStatements = ReturnType<typeof mysqlJobStatements>;
