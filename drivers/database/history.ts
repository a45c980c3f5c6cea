import type { EndedJob, HistoryBounds, HistoryFilter, HistoryStore } from '../../src/index.js';
import type { Session } from './session.js';

/** Ended jobs in a table of the database. */
export class DatabaseHistory<Connection> implements HistoryStore {
  readonly #session: Session<Connection>;

  constructor(session: Session<Connection>) {
    this.#session = session;
  }

  add(ended: readonly EndedJob[]): Promise<void> {
    return this.#session.run((connection, { endedJobs }) => endedJobs.add(connection, ended));
  }

  list(filter: HistoryFilter = {}): Promise<EndedJob[]> {
    return this.#session.run((connection, { endedJobs }) => endedJobs.list(connection, filter));
  }

  find(jobIds: readonly string[]): Promise<EndedJob[]> {
    return this.#session.run((connection, { endedJobs }) => endedJobs.find(connection, jobIds));
  }

  prune(keep: HistoryBounds): Promise<number> {
    return this.#session.run((connection, { endedJobs }) => endedJobs.prune(connection, keep));
  }
}
