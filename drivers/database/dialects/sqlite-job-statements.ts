/** How many jobs one statement stores: more are no faster, and fewer wait for a whole one. */
export const jobsPerPush = 32;

/**
 * The statements on live jobs, whole, for one table name. What runs for each job of a call has its values by
 * place, as names cost more than some of these statements. `leases` of the others is a JSON array of
 * [id, token] or [id, token, delay] arrays, so that the text is the same for any number of them; they answer the token
 * of each lease that was held, or the id where the row keeps no token.
 *
 * A job is due when `available_at <= now`, whatever it was before: fresh, delayed, or under a lease that
 * lapsed (docs/adr/0002). That is one range of one index, with no OR.
 */
export function sqliteJobStatements(table: string) {
  /** @param count an assignment that counts something on top, or nothing. */
  const release = (count: '' | `${string},`): string => `
UPDATE "${table}"
SET ${count}
    available_at = :now + (lease.value ->> 2),
    due_at = :now + (lease.value ->> 2),
    reserved_at = NULL,
    lease_token = NULL
FROM json_each(:leases) AS lease
WHERE "${table}".id = lease.value ->> 0 AND "${table}".lease_token = lease.value ->> 1
RETURNING "${table}".id AS answer`;

  const pushOf = (row: string, jobs: number): string => `
INSERT INTO "${table}" (job_id, queue, attempts, available_at, created_at, due_at, payload)
VALUES ${Array(jobs).fill(row).join(', ')}
ON CONFLICT (job_id, queue) DO NOTHING`;
  const later = '(?, :queue, 0, ?, :now, ?, ?)';
  // Half as many values to bind.
  const due = '(?, :queue, 0, :now, :now, :now, ?)';

  return {
    push: pushOf('(?, ?, 0, ?, ?, ?, ?)', 1),

    pushMany: pushOf(later, jobsPerPush),

    pushManyDue: pushOf(due, jobsPerPush),

    /** What the last statement stored: ids of rows only rise. */
    lastStored: `
SELECT job_id FROM "${table}" ORDER BY id DESC LIMIT :changes`,

    /** The jobs that are due, in order: each is then taken by its id, which costs less than RETURNING. */
    due: `
SELECT id, job_id, payload, attempts, exceptions FROM "${table}"
WHERE queue = :queue AND available_at <= :now
ORDER BY available_at, id
LIMIT :limit`,

    take: `
UPDATE "${table}"
SET attempts = attempts + 1,
    reserved_at = ?,
    due_at = available_at,
    available_at = ?,
    lease_token = ?
WHERE id = ?`,

    extend: `
UPDATE "${table}"
SET available_at = :leaseEnd
FROM json_each(:leases) AS lease
WHERE "${table}".id = lease.value ->> 0 AND "${table}".lease_token = lease.value ->> 1
RETURNING "${table}".lease_token AS answer`,

    delete: `
DELETE FROM "${table}" WHERE id = ? AND lease_token = ?`,

    release: release(''),

    postpone: release('attempts = attempts - 1,'),

    releaseThrown: release('exceptions = exceptions + 1,'),

    unreserve: `
UPDATE "${table}"
SET attempts = attempts - 1,
    available_at = due_at,
    reserved_at = NULL,
    lease_token = NULL
FROM json_each(:leases) AS lease
WHERE "${table}".id = lease.value ->> 0 AND "${table}".lease_token = lease.value ->> 1
RETURNING "${table}".id AS answer`,

    longestWait: `
SELECT :now - min(available_at) AS ms FROM "${table}" WHERE queue = :queue AND available_at <= :now`,

    size: `
SELECT due.ready, later.jobs - later.reserved AS delayed, later.reserved
FROM (
  SELECT count(*) AS ready FROM "${table}" WHERE queue = :queue AND available_at <= :now
) AS due, (
  SELECT count(*) AS jobs, count(reserved_at) AS reserved
  FROM "${table}" WHERE queue = :queue AND available_at > :now
) AS later`,

    clearReady: `
DELETE FROM "${table}" WHERE queue = :queue AND available_at <= :now`,

    clearDelayed: `
DELETE FROM "${table}" WHERE queue = :queue AND available_at > :now AND reserved_at IS NULL`,

    clearReserved: `
DELETE FROM "${table}" WHERE queue = :queue AND available_at > :now AND reserved_at IS NOT NULL`,
  } as const;
}

/** All texts of {@link sqliteJobStatements}. */
export type SqliteJobStatements = ReturnType<typeof sqliteJobStatements>;
