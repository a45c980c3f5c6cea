/** The failed jobs of a naive store. */
export function failedJobsIn(db) {
  const all = (sql, ...values) =>
    db()
      .prepare(sql)
      .all(...values)
      .map(({ record }) => JSON.parse(record));
  return {
    async record(failures) {
      const insert = db().prepare('INSERT OR REPLACE INTO failed VALUES (?, ?, ?, ?)');
      for (const one of failures) {
        db().prepare('DELETE FROM failed WHERE job_id = ?').run(one.jobId);
        insert.run(one.uuid, one.jobId, one.failedAtMs, JSON.stringify(one));
      }
    },
    list: async ({ limit = 100, offset = 0 } = {}) =>
      all('SELECT record FROM failed ORDER BY at DESC LIMIT ? OFFSET ?', limit, offset),
    find: async (ids) =>
      ids.flatMap((id) => all('SELECT record FROM failed WHERE uuid = ? OR job_id = ?', id, id)),
    forget: async (uuids) =>
      uuids.filter((uuid) => db().prepare('DELETE FROM failed WHERE uuid = ?').run(uuid).changes > 0).length,
    flush: async () => db().prepare('DELETE FROM failed').run().changes,
  };
}

/** The signals to the workers of a naive store. */
export function signalsIn(db) {
  return {
    read: async (key) => db().prepare('SELECT value FROM signals WHERE key = ?').get(key)?.value ?? null,
    write: async (key, value) =>
      void db().prepare('INSERT OR REPLACE INTO signals VALUES (?, ?)').run(key, value),
  };
}
