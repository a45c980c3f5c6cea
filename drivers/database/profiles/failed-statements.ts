import type { TableProfile } from './profile.js';
import type { Sql } from './sql.js';

/** The statements on PHP's table of failed jobs, whole. */
export function failedStatements(
  { id, failedAt }: TableProfile['failed'],
  table: string,
  { quote, localTime }: Pick<Sql<never>, 'quote' | 'localTime'>,
) {
  const [connection, queue, time] = ['connection', 'queue', failedAt].map(quote) as [string, string, string];
  const hasUuid = id === 'uuid';
  const columns = `id, ${hasUuid ? 'uuid' : 'NULL AS uuid'}, ${connection} AS connection, ${queue} AS queue, payload, exception,
  ${localTime(time)} AS failed_at`;
  const select = `
SELECT ${columns} FROM ${table}`;
  return {
    keep: `
INSERT INTO ${table} (${connection}, ${queue}, payload, exception, ${time}${hasUuid ? ', uuid' : ''})
VALUES (?, ?, ?, ?, ?${hasUuid ? ', ?' : ''})`,

    /** Its values come in the order connection, queue, earliest and latest time, as far as they are given. */
    list: (wanted: Readonly<Record<'from' | 'queue' | 'since' | 'until', string | undefined>>) => {
      const conditions = [
        wanted.from !== undefined && `${connection} = ?`,
        wanted.queue !== undefined && `${queue} = ?`,
        wanted.since !== undefined && `${time} >= ?`,
        wanted.until !== undefined && `${time} <= ?`,
      ].filter((condition) => condition !== false);
      const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
      return `${select}${where} ORDER BY id DESC LIMIT ? OFFSET ?`;
    },

    byId: `${select} WHERE id = ?`,

    /** The uuid where the table has one; then the pattern of the exception's last line. */
    byUuid: `${select} WHERE ${hasUuid ? 'uuid = ? OR ' : ''}exception LIKE ?`,

    delete: `
DELETE FROM ${table} WHERE id = ?`,

    deleteUuid: `
DELETE FROM ${table} WHERE uuid = ?`,

    flush: `
DELETE FROM ${table}`,

    flushBefore: `
DELETE FROM ${table} WHERE ${time} < ?`,
  } as const;
}

/** All texts of {@link failedStatements}. */
export type FailedStatements = ReturnType<typeof failedStatements>;
