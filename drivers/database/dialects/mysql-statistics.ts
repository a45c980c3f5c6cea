import type { StatisticsRange, StatisticsRow } from '../../../src/index.js';
import type { StatisticsTable } from './dialect.js';
import {
  changedBy,
  inMysqlTransaction,
  type MysqlConnection,
  marks,
  padded,
  rowsOf,
} from './mysql-connection.js';
import {
  boundsOf,
  RowChanged,
  type StatisticsRecord,
  statisticsColumns,
  statisticsRowOf,
  valuesOf,
} from './statistics-row.js';

const columns = statisticsColumns.join(', ');
/** Rows of one statement, whose text is kept prepared. */
const pageSize = 64;

/** Statistics in a table of MySQL or MariaDB. */
export class MysqlStatistics implements StatisticsTable<MysqlConnection> {
  readonly #table: string;

  /** @param table quoted. */
  constructor(table: string) {
    this.#table = table;
  }

  async put(connection: MysqlConnection, rows: readonly StatisticsRow[]): Promise<void> {
    for (const page of pagesOf(rows)) {
      const values = page.map(() => `(${marks(statisticsColumns.length)})`).join(', ');
      const sql = `
INSERT INTO ${this.#table} (${columns}) VALUES ${values} ON DUPLICATE KEY UPDATE body = VALUES(body)`;
      await changedBy(connection, sql, page.flatMap(valuesOf));
    }
  }

  async read(connection: MysqlConnection, range: StatisticsRange): Promise<StatisticsRow[]> {
    const { levels, from, until, limit } = boundsOf(range);
    const sql = `
SELECT ${columns} FROM ${this.#table}
WHERE level IN (${marks(levels.length)}) AND started_at >= ? AND started_at < ?
ORDER BY started_at LIMIT ?`;
    const found = await rowsOf<StatisticsRecord>(connection, sql, [...levels, from, until, limit]);
    return found.map(statisticsRowOf);
  }

  async replace(
    connection: MysqlConnection,
    rows: readonly StatisticsRow[],
    by: readonly StatisticsRow[],
  ): Promise<boolean> {
    const isRow = `(${statisticsColumns.map((column) => `${column} = ?`).join(' AND ')})`;
    try {
      await inMysqlTransaction(connection, async () => {
        let removed = 0;
        for (const page of pagesOf(rows)) {
          const sql = `DELETE FROM ${this.#table} WHERE ${page.map(() => isRow).join(' OR ')}`;
          removed += await changedBy(connection, sql, page.flatMap(valuesOf));
        }
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

/** Pages whose last row is repeated up to a length that other pages have as well. */
function* pagesOf(rows: readonly StatisticsRow[]): Generator<StatisticsRow[]> {
  for (let at = 0; at < rows.length; at += pageSize) yield padded(rows.slice(at, at + pageSize));
}
