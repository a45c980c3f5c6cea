import { postgresNow } from './postgres-connection.js';
import { channelStem, sessionsThatWait } from './postgres-news.js';
import { answerOfTaken } from './postgres-taken-jobs.js';

/**
 * The statements on live jobs, whole, for one quoted table name. Lists go as arrays, so that a text serves any
 * length. As on SQLite, `available_at` holds the end of the lease while a job is reserved, so that due, delayed
 * and lapsed jobs are one range of one index (docs/adr/0010).
 */
export function postgresJobStatements(table: string) {
  const held = (set: string): string => `
UPDATE ${table} AS job
SET ${set}
FROM unnest($1::bigint[], $2::text[]) AS lease (id, token)
WHERE job.id = lease.id AND job.lease_token = lease.token
RETURNING job.lease_token`;
  /** @param count an assignment that counts something on top, or nothing. */
  const release = (count: '' | `${string},`): string => `
UPDATE ${table} AS job
SET ${count}
    available_at = ${postgresNow} + lease.delay,
    due_at = ${postgresNow} + lease.delay,
    reserved_at = NULL,
    lease_token = NULL
FROM (
  SELECT DISTINCT ON (lease.token) lease.* FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS lease (id, token, delay)
) AS lease
WHERE job.id = lease.id AND job.lease_token = lease.token
RETURNING lease.token AS lease_token`;

  const remove = (ids: string, tokens: string): string => `
DELETE FROM ${table} AS job
USING unnest(${ids}::bigint[], ${tokens}::text[]) AS lease (id, token)
WHERE job.id = lease.id AND job.lease_token = lease.token
RETURNING job.lease_token`;
  // The queues' ranges are read one after the other and only as far as the outer LIMIT asks, so that no more
  // rows are locked than are taken. The ids go through an array: as a join, a planner without statistics
  // may read the whole table for them.
  const take = `
UPDATE ${table}
SET attempts = attempts + 1,
    reserved_at = ${postgresNow},
    due_at = available_at,
    available_at = ${postgresNow} + $3,
    lease_token = $4 || ':' || id
WHERE id = ANY (ARRAY(
  SELECT due.id
  FROM unnest($1::text[]) AS wanted (queue),
    LATERAL (
      SELECT job.id FROM ${table} AS job
      WHERE job.queue = wanted.queue AND job.available_at <= ${postgresNow}
      ORDER BY job.available_at, job.id
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    ) AS due
  LIMIT $2
))`;
  const insert = `
  INSERT INTO ${table} (job_id, queue, attempts, available_at, created_at, due_at, payload)
  SELECT job.id, $1, 0, due.at, ${postgresNow}, due.at, job.body
  FROM unnest($2::text[], $3::bigint[], $4::bigint[], (string_to_array($5, $6))[2:])
    WITH ORDINALITY AS job (id, due_at, delay, body, place),
    LATERAL (
      SELECT greatest(${postgresNow}, coalesce(job.due_at, ${postgresNow} + coalesce(job.delay, 0))) AS at
    ) AS due
  ORDER BY job.place
  ON CONFLICT (job_id, queue) DO NOTHING
  RETURNING job_id`;
  // Lists of one take the server half as long again.
  const insertOne = `
  INSERT INTO ${table} (job_id, queue, attempts, available_at, created_at, due_at, payload)
  SELECT $2, $1, 0, due.at, ${postgresNow}, due.at, $5
  FROM (SELECT greatest(${postgresNow}, coalesce($3::bigint, ${postgresNow} + coalesce($4::bigint, 0))) AS at) AS due
  ON CONFLICT (job_id, queue) DO NOTHING`;
  /** @param key of the queue. */
  const told = (key: string, jobs: string): string => `
  SELECT pg_notify('${channelStem(table)}' || waiting.pid, '1' || $1)
  FROM (SELECT WHERE NOT pg_try_advisory_xact_lock(${key})) AS waited,
    LATERAL (${sessionsThatWait(key, jobs)}) AS waiting`;
  const heldTokens = `(
    SELECT CASE WHEN count(*) < cardinality($5) THEN coalesce(string_agg(lease_token, ' '), '') END FROM gone
  )`;
  const outcome = `
  count(*) AS count, CASE WHEN count(*) < cardinality($2) THEN array_to_json(array_agg(job_id)) END AS ids`;
  const taken = `taken AS (${take}
RETURNING id, job_id, queue, payload, attempts, exceptions, due_at
)`;

  return {
    /**
     * Answers the ids only where not all were stored; times are given only where a job has one. Each payload follows a
     * separator, as in an array every quote of theirs would be escaped, and then read again.
     */
    push: `
WITH stored AS (${insert}
)
SELECT ${outcome} FROM stored`,

    /**
     * As `push`, and tells those that wait of jobs that are due at once, up to one for each job: they hear of it when it
     * is committed. Who begins to wait before that, and after it was asked who does, is not among them.
     */
    pushTelling: `
WITH stored AS (${insert}
), told AS (${told('$7', '$8')}
)
SELECT ${outcome}, (SELECT count(*) FROM told) AS told FROM stored`,

    /** `push` of one job: the row is there, or was. */
    pushOne: insertOne,

    /** `pushTelling` of one job. */
    pushOneTelling: `
WITH stored AS (${insertOne}
  RETURNING job_id
), told AS (${told('$6', '1')}
)
SELECT count(*) AS count, NULL AS ids, (SELECT count(*) FROM told) AS told FROM stored`,

    reserve: `
WITH ${taken}${answerOfTaken('$1::text[]', '$4')}`,

    /**
     * One trip and one commit. A job whose lease has lapsed may be among both: a row is changed once in a statement,
     * and each part answers what it did. The first row has the tokens that were held, where those are not all.
     */
    deleteAndReserve: `
WITH gone AS (${remove('$5', '$6')}), ${taken}${answerOfTaken('$1::text[]', '$4', heldTokens)}`,

    extend: held(`available_at = ${postgresNow} + $3`),

    delete: remove('$1', '$2'),

    release: release(''),

    postpone: release('attempts = attempts - 1,'),

    releaseThrown: release('exceptions = exceptions + 1,'),

    unreserve: `
UPDATE ${table} AS job
SET attempts = attempts - 1,
    available_at = due_at,
    reserved_at = NULL,
    lease_token = NULL
FROM (SELECT DISTINCT lease.* FROM unnest($1::bigint[], $2::text[]) AS lease (id, token)) AS lease
WHERE job.id = lease.id AND job.lease_token = lease.token
RETURNING lease.token AS lease_token`,

    longestWait: `
SELECT ${postgresNow} - min(available_at) AS ms FROM ${table} WHERE queue = $1 AND available_at <= ${postgresNow}`,

    size: `
SELECT
  (SELECT count(*) FROM ${table} WHERE queue = $1 AND available_at <= ${postgresNow}) AS ready,
  (SELECT count(*) FROM ${table} WHERE queue = $1 AND available_at > ${postgresNow}) AS later,
  (SELECT count(reserved_at) FROM ${table} WHERE queue = $1 AND available_at > ${postgresNow}) AS reserved`,

    now: `
SELECT ${postgresNow} AS now`,

    clearReady: `
DELETE FROM ${table} WHERE queue = $1 AND available_at <= $2`,

    clearDelayed: `
DELETE FROM ${table} WHERE queue = $1 AND available_at > $2 AND reserved_at IS NULL`,

    clearReserved: `
DELETE FROM ${table} WHERE queue = $1 AND available_at > $2 AND reserved_at IS NOT NULL`,
  } as const;
}

/** All texts of {@link postgresJobStatements}. */
export type PostgresJobStatements = ReturnType<typeof postgresJobStatements>;
