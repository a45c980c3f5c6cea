import { type EndedJob, type HistoryBounds, type HistoryFilter, mostPruned } from '../../../src/index.js';
import type { EndedJobTable } from './dialect.js';
import {
  type EndedJobRow,
  endedColumns,
  endedJobOf,
  filterValues,
  firstToKeep,
  valuesOf,
} from './ended-job-row.js';
import { partsOf } from './lists.js';
import { changedBy, type MysqlConnection, marks, padded, rowsOf } from './mysql-connection.js';

const columns = endedColumns.join(', ');
/** Rows or ids of one statement, whose text is kept prepared. */
const pageSize = 64;

/** Ended jobs in a table of MySQL or MariaDB. */
export class MysqlEndedJobs implements EndedJobTable<MysqlConnection> {
  readonly #table: string;

  /** @param table quoted. */
  constructor(table: string) {
    this.#table = table;
  }

  async add(connection: MysqlConnection, ended: readonly EndedJob[]): Promise<void> {
    for (const part of partsOf(ended, pageSize)) {
      const rows = padded(part);
      const values = rows.map(() => `(${marks(endedColumns.length)})`).join(', ');
      const sql = `
INSERT INTO ${this.#table} (${columns}) VALUES ${values} ON DUPLICATE KEY UPDATE entry_id = VALUES(entry_id)`;
      await changedBy(connection, sql, rows.flatMap(valuesOf));
    }
  }

  async list(connection: MysqlConnection, filter: HistoryFilter): Promise<EndedJob[]> {
    const [state, queue, name, from, limit] = filterValues(filter);
    const conditions = Object.entries({ 'state = ?': state, 'queue = ?': queue, 'name = ?': name }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    );
    const sql = `
SELECT ${columns} FROM ${this.#table}
WHERE ${[...conditions.map(([condition]) => condition), 'entry_id >= ?'].join(' AND ')}
ORDER BY entry_id DESC LIMIT ?`;
    const bound = [...conditions.map(([, value]) => value), from, limit];
    return (await rowsOf<EndedJobRow>(connection, sql, bound)).map(endedJobOf);
  }

  async find(connection: MysqlConnection, jobIds: readonly string[]): Promise<EndedJob[]> {
    const found: EndedJob[] = [];
    for (const part of partsOf([...new Set(jobIds)], pageSize)) {
      const ids = padded(part);
      const sql = `SELECT ${columns} FROM ${this.#table} WHERE job_id IN (${marks(ids.length)})`;
      found.push(...(await rowsOf<EndedJobRow>(connection, sql, ids)).map(endedJobOf));
    }
    return found.sort((a, b) => (a.entryId < b.entryId ? 1 : -1));
  }

  async prune(connection: MysqlConnection, keep: HistoryBounds): Promise<number> {
    // In two steps, as a DELETE cannot read its own table: what is added in between is newer than both.
    const last = keep.count === undefined ? undefined : await this.#beyond(connection, keep.count);
    const sql = `
DELETE FROM ${this.#table} WHERE entry_id <= ? OR entry_id < ? ORDER BY entry_id LIMIT ${mostPruned}`;
    const [first, other] = [firstToKeep(keep), last ?? ''];
    if (first === '' && other === '') return 0;
    return await changedBy(connection, sql, [other, first]);
  }

  /** The newest of what is beyond a count. */
  async #beyond(connection: MysqlConnection, count: number): Promise<string | undefined> {
    const sql = `SELECT entry_id FROM ${this.#table} ORDER BY entry_id DESC LIMIT 1 OFFSET ?`;
    return (await rowsOf<{ entry_id: string }>(connection, sql, [count]))[0]?.entry_id;
  }
}
