import type { StatisticsRange, StatisticsRow, StatisticsStore } from '../../src/index.js';
import type { StatisticsTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** Statistics in a table of the database. */
export class DatabaseStatistics<Connection> implements StatisticsStore {
  readonly #session: Session<Connection>;
  readonly #table: StatisticsTable<Connection>;

  constructor(session: Session<Connection>, table: StatisticsTable<Connection>) {
    this.#session = session;
    this.#table = table;
  }

  put(rows: readonly StatisticsRow[]): Promise<void> {
    return this.#session.run((connection) => this.#table.put(connection, rows));
  }

  read(range: StatisticsRange): Promise<StatisticsRow[]> {
    return this.#session.run((connection) => this.#table.read(connection, range));
  }

  replace(rows: readonly StatisticsRow[], by: readonly StatisticsRow[]): Promise<boolean> {
    return this.#session.run((connection) => this.#table.replace(connection, rows, by));
  }
}
