import type { EndedJob, HistoryBounds, HistoryFilter, HistoryStore } from '../../src/index.js';
import type { EndedJobTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** Ended jobs in a table of the database. */
export class DatabaseHistory<Connection> implements HistoryStore {
  readonly #session: Session<Connection>;
  readonly #table: EndedJobTable<Connection>;

  constructor(session: Session<Connection>, table: EndedJobTable<Connection>) {
    this.#session = session;
    this.#table = table;
  }

  add(ended: readonly EndedJob[]): Promise<void> {
    return this.#session.run((connection) => this.#table.add(connection, ended));
  }

  list(filter: HistoryFilter = {}): Promise<EndedJob[]> {
    return this.#session.run((connection) => this.#table.list(connection, filter));
  }

  find(jobIds: readonly string[]): Promise<EndedJob[]> {
    return this.#session.run((connection) => this.#table.find(connection, jobIds));
  }

  prune(keep: HistoryBounds): Promise<number> {
    return this.#session.run((connection) => this.#table.prune(connection, keep));
  }
}
