import type { Finding } from '../../../src/index.js';
import type { Health, TableIndex } from './dialect.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** What `queue:doctor` asks a SQLite database. Its clock is the host's, and it is reached by no network. */
export class SqliteHealth implements Health<SqliteConnection> {
  indexes(connection: SqliteConnection, table: string): readonly TableIndex[] | undefined {
    const found = connection
      .prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE`)
      .get(table);
    if (found === undefined) return undefined;
    const rows = connection
      .prepare<unknown[], { columns: string; isUnique: number | bigint }>(
        `SELECT list."unique" AS isUnique,
           (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) AS columns
         FROM pragma_index_list(?) AS list WHERE list.origin <> 'pk'`,
      )
      .all(table);
    return rows.map(({ columns, isUnique }) => ({
      columns: columns.split(','),
      isUnique: Number(isUnique) === 1,
    }));
  }

  findings(connection: SqliteConnection): readonly Finding[] {
    const journalMode = String(connection.pragma('journal_mode', { simple: true }));
    return [journalFinding(journalMode)];
  }
}

function journalFinding(mode: string): Finding {
  const check = 'journal';
  if (mode === 'wal' || mode === 'memory') return { check, status: 'ok', message: `journal mode ${mode}` };
  return {
    check,
    status: 'warning',
    message: `journal mode ${mode}: readers and writers hold each other up`,
    fix: 'Keep the file on a local disk, and run PRAGMA journal_mode = WAL on it.',
  };
}
