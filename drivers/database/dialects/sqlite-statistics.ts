import type { StatisticsRange, StatisticsRow } from '../../../src/index.js';
import type { StatisticsTable } from './dialect.js';
import { inTransaction, prepared, type SqliteConnection } from './sqlite-connection.js';
import { boundsOf, type StatisticsRecord, statisticsRowOf } from './statistics-row.js';

/** Statistics in a SQLite table. */
export class SqliteStatistics implements StatisticsTable<SqliteConnection> {
  readonly #put: string;
  readonly #read: string;
  readonly #remove: string;
  readonly #isThere: string;

  constructor(table: string) {
    this.#put = `
INSERT INTO "${table}" (level, started_at, source, queue, name, body)
VALUES (:level, :startMs, :source, :queue, :name, :body)
ON CONFLICT (level, started_at, source, queue, name) DO UPDATE SET body = excluded.body`;
    this.#read = `
SELECT level, started_at, source, queue, name, body FROM "${table}"
WHERE level IN (SELECT value FROM json_each(:levels))
  AND started_at >= :from AND started_at < :until
ORDER BY started_at LIMIT :limit`;
    const isRow = `
level = :level AND started_at = :startMs AND source = :source AND queue = :queue AND name = :name AND body = :body`;
    this.#remove = `DELETE FROM "${table}" WHERE ${isRow}`;
    this.#isThere = `SELECT 1 FROM "${table}" WHERE ${isRow}`;
  }

  put(connection: SqliteConnection, rows: readonly StatisticsRow[]): void {
    inTransaction(connection, () => this.#keep(connection, rows));
  }

  read(connection: SqliteConnection, range: StatisticsRange): StatisticsRow[] {
    const { levels, ...bounds } = boundsOf(range);
    const bound = { ...bounds, levels: JSON.stringify(levels) };
    return prepared<StatisticsRecord>(connection, this.#read).all(bound).map(statisticsRowOf);
  }

  replace(
    connection: SqliteConnection,
    rows: readonly StatisticsRow[],
    by: readonly StatisticsRow[],
  ): boolean {
    return inTransaction(connection, () => {
      const areThere = rows.every((row) => prepared(connection, this.#isThere).get(row) !== undefined);
      if (!areThere) return false;
      for (const row of rows) prepared(connection, this.#remove).run(row);
      this.#keep(connection, by);
      return true;
    });
  }

  #keep(connection: SqliteConnection, rows: readonly StatisticsRow[]): void {
    for (const row of rows) prepared(connection, this.#put).run(row);
  }
}
