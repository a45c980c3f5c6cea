import { type EndedJob, type HistoryBounds, type HistoryFilter, mostPruned } from '../../../src/index.js';
import type { EndedJobTable } from './dialect.js';
import {
  type EndedJobRow,
  endedColumns,
  endedJobOf,
  endedTypes,
  filterValues,
  firstToKeep,
  valuesOf,
} from './ended-job-row.js';
import { changedBy, type PostgresConnection, rowsOf } from './postgres-connection.js';

const columns = endedColumns.join(', ');
/** Rows as one array for each column, so that a statement has one text for any number of them. */
const given = `unnest(${endedTypes.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})`;

/** Ended jobs in a table of PostgreSQL. */
export class PostgresEndedJobs implements EndedJobTable<PostgresConnection> {
  readonly #table: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
  }

  async add(connection: PostgresConnection, ended: readonly EndedJob[]): Promise<void> {
    if (ended.length === 0) return;
    const sql = `
INSERT INTO ${this.#table} (${columns}) SELECT * FROM ${given} ON CONFLICT (entry_id) DO NOTHING`;
    const rows = ended.map(valuesOf);
    await changedBy(
      connection,
      sql,
      endedColumns.map((_, column) => rows.map((row) => row[column])),
    );
  }

  async list(connection: PostgresConnection, filter: HistoryFilter): Promise<EndedJob[]> {
    const sql = `
SELECT ${columns} FROM ${this.#table}
WHERE ($1::text IS NULL OR state = $1)
  AND ($2::text IS NULL OR queue = $2)
  AND ($3::text IS NULL OR name = $3)
  AND entry_id >= $4
ORDER BY entry_id DESC LIMIT $5`;
    return (await rowsOf<EndedJobRow>(connection, sql, filterValues(filter))).map(endedJobOf);
  }

  async find(connection: PostgresConnection, jobIds: readonly string[]): Promise<EndedJob[]> {
    const sql = `
SELECT ${columns} FROM ${this.#table} WHERE job_id = ANY ($1::text[]) ORDER BY entry_id DESC`;
    return (await rowsOf<EndedJobRow>(connection, sql, [jobIds])).map(endedJobOf);
  }

  async prune(connection: PostgresConnection, keep: HistoryBounds): Promise<number> {
    // Whoever prunes at the same time passes over what is being removed.
    const sql = `
DELETE FROM ${this.#table} WHERE entry_id IN (
  SELECT entry_id FROM ${this.#table}
  WHERE entry_id < $1
    OR entry_id <= (SELECT entry_id FROM ${this.#table} ORDER BY entry_id DESC LIMIT 1 OFFSET $2)
  ORDER BY entry_id LIMIT ${mostPruned}
  FOR UPDATE SKIP LOCKED
)`;
    return await changedBy(connection, sql, [firstToKeep(keep), keep.count ?? Number.MAX_SAFE_INTEGER]);
  }
}
