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
import { inTransaction, prepared, type SqliteConnection } from './sqlite-connection.js';

const columns = endedColumns.join(', ');

/** Ended jobs in a SQLite table. */
export class SqliteEndedJobs implements EndedJobTable<SqliteConnection> {
  readonly #add: string;
  readonly #list: string;
  readonly #find: string;
  readonly #nth: string;
  readonly #prune: string;

  constructor(table: string) {
    this.#add = `
INSERT INTO "${table}" (${columns}) VALUES (${endedColumns.map(() => '?').join(', ')})
ON CONFLICT (entry_id) DO NOTHING`;
    this.#list = `
SELECT ${columns} FROM "${table}"
WHERE (:state IS NULL OR state = :state)
  AND (:queue IS NULL OR queue = :queue)
  AND (:name IS NULL OR name = :name)
  AND entry_id >= :from
ORDER BY entry_id DESC LIMIT :limit`;
    this.#find = `
SELECT ${columns} FROM "${table}" WHERE job_id IN (SELECT value FROM json_each(:ids)) ORDER BY entry_id DESC`;
    this.#nth = `SELECT entry_id FROM "${table}" ORDER BY entry_id DESC LIMIT 1 OFFSET :count`;
    this.#prune = `
DELETE FROM "${table}" WHERE entry_id IN (
  SELECT entry_id FROM "${table}" WHERE entry_id <= :last OR entry_id < :first ORDER BY entry_id LIMIT :limit
)`;
  }

  add(connection: SqliteConnection, ended: readonly EndedJob[]): void {
    inTransaction(connection, () => {
      for (const one of ended) prepared(connection, this.#add).run(...valuesOf(one));
    });
  }

  list(connection: SqliteConnection, filter: HistoryFilter): EndedJob[] {
    const [state, queue, name, from, limit] = filterValues(filter);
    const bound = { state, queue, name, from, limit };
    return prepared<EndedJobRow>(connection, this.#list).all(bound).map(endedJobOf);
  }

  find(connection: SqliteConnection, jobIds: readonly string[]): EndedJob[] {
    const rows = prepared<EndedJobRow>(connection, this.#find).all({ ids: JSON.stringify(jobIds) });
    return rows.map(endedJobOf);
  }

  prune(connection: SqliteConnection, keep: HistoryBounds): number {
    const last = keep.count === undefined ? undefined : this.#beyond(connection, keep.count);
    const bound = { last: last ?? '', first: firstToKeep(keep), limit: mostPruned };
    return prepared(connection, this.#prune).run(bound).changes;
  }

  /** The newest of what is beyond a count. */
  #beyond(connection: SqliteConnection, count: number): string | undefined {
    return prepared<{ entry_id: string }>(connection, this.#nth).get({ count })?.entry_id;
  }
}
