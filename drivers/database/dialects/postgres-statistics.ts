import type { StatisticsRange, StatisticsRow } from '../../../src/index.js';
import type { StatisticsTable } from './dialect.js';
import { changedBy, inPostgresTransaction, type PostgresConnection, rowsOf } from './postgres-connection.js';
import {
  boundsOf,
  RowChanged,
  type StatisticsRecord,
  statisticsColumns,
  statisticsRowOf,
  valuesOf,
} from './statistics-row.js';

const columns = statisticsColumns.join(', ');
/** Rows as one array for each column, so that a statement has one text for any number of them. */
const given = 'unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])';

/** Statistics in a table of PostgreSQL. */
export class PostgresStatistics implements StatisticsTable<PostgresConnection> {
  readonly #table: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#table = table;
  }

  async put(connection: PostgresConnection, rows: readonly StatisticsRow[]): Promise<void> {
    const sql = `
INSERT INTO ${this.#table} (${columns}) SELECT * FROM ${given}
ON CONFLICT (level, started_at, source, queue, name) DO UPDATE SET body = excluded.body`;
    if (rows.length > 0) await changedBy(connection, sql, arraysOf(rows));
  }

  async read(connection: PostgresConnection, range: StatisticsRange): Promise<StatisticsRow[]> {
    const { levels, from, until, limit } = boundsOf(range);
    const sql = `
SELECT ${columns} FROM ${this.#table}
WHERE level = ANY ($1::text[]) AND started_at >= $2 AND started_at < $3
ORDER BY started_at LIMIT $4`;
    const found = await rowsOf<StatisticsRecord>(connection, sql, [levels, from, until, limit]);
    return found.map(statisticsRowOf);
  }

  async replace(
    connection: PostgresConnection,
    rows: readonly StatisticsRow[],
    by: readonly StatisticsRow[],
  ): Promise<boolean> {
    const sql = `
DELETE FROM ${this.#table} stored USING ${given} AS old (${columns})
WHERE ${statisticsColumns.map((column) => `stored.${column} = old.${column}`).join(' AND ')}`;
    try {
      await inPostgresTransaction(connection, async () => {
        const removed = rows.length === 0 ? 0 : await changedBy(connection, sql, arraysOf(rows));
        if (removed < rows.length) throw new RowChanged();
        await this.put(connection, by);
      });
      return true;
    } catch (error) {
      if (error instanceof RowChanged) return false;
      throw error;
    }
  }
}

function arraysOf(rows: readonly StatisticsRow[]): unknown[] {
  const values = rows.map(valuesOf);
  return statisticsColumns.map((_, column) => values.map((row) => row[column]));
}
