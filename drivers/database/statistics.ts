import type { StatisticsRange, StatisticsRow, StatisticsStore } from '../../src/index.js';
import type { Session } from './session.js';

/** Statistics in a table of the database. */
export class DatabaseStatistics<Connection> implements StatisticsStore {
  readonly #session: Session<Connection>;

  constructor(session: Session<Connection>) {
    this.#session = session;
  }

  put(rows: readonly StatisticsRow[]): Promise<void> {
    return this.#session.run((connection, { statistics }) => statistics.put(connection, rows));
  }

  read(range: StatisticsRange): Promise<StatisticsRow[]> {
    return this.#session.run((connection, { statistics }) => statistics.read(connection, range));
  }

  replace(rows: readonly StatisticsRow[], by: readonly StatisticsRow[]): Promise<boolean> {
    return this.#session.run((connection, { statistics }) => statistics.replace(connection, rows, by));
  }
}
