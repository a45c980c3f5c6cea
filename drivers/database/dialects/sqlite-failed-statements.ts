/** The statements on given-up jobs, whole, for one table name. `ids` and `uuids` are JSON arrays. */
export function sqliteFailedStatements(table: string) {
  return {
    // REPLACE drops the older record of the same job, whose uuid is another.
    keep: `
INSERT OR REPLACE INTO "${table}" (
  uuid, job_id, connection, queue, name, reason, attempts, failed_at, host, pid,
  error_class, message, stack, causes, payload
) VALUES (
  :uuid, :job_id, :connection, :queue, :name, :reason, :attempts, :failed_at, :host, :pid,
  :error_class, :message, :stack, :causes, :payload
)`,

    list: `
SELECT * FROM "${table}"
WHERE (:connection IS NULL OR connection = :connection)
  AND (:queue IS NULL OR queue = :queue)
  AND (:name IS NULL OR name = :name)
  AND failed_at >= coalesce(:since, -9223372036854775808)
  AND failed_at <= coalesce(:until, 9223372036854775807)
ORDER BY failed_at DESC, rowid DESC
LIMIT :limit OFFSET :offset`,

    find: `
SELECT * FROM "${table}"
WHERE uuid IN (SELECT value FROM json_each(:ids)) OR job_id IN (SELECT value FROM json_each(:ids))
ORDER BY failed_at DESC, rowid DESC`,

    read: `
SELECT * FROM "${table}" WHERE uuid = :uuid`,

    forget: `
DELETE FROM "${table}" WHERE uuid IN (SELECT value FROM json_each(:uuids))`,

    flush: `
DELETE FROM "${table}"`,

    flushBefore: `
DELETE FROM "${table}" WHERE failed_at < :before`,
  } as const;
}

/** All texts of {@link sqliteFailedStatements}. */
export type SqliteFailedStatements = ReturnType<typeof sqliteFailedStatements>;
