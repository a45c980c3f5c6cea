import type { FailedJob, FailedJobFilter, FailedJobStore, Failure, RetryOutcome } from '../../src/index.js';
import type { Change } from './dialects/dialect.js';
import type { Session } from './session.js';
import type { Teller } from './teller.js';

/** Given-up jobs in a table of the same database as the live ones. */
export class DatabaseFailedJobs<Connection> implements FailedJobStore {
  readonly #session: Session<Connection>;
  readonly #teller: Teller<Connection> | undefined;

  /** @param teller is told of jobs that come back. */
  constructor(session: Session<Connection>, teller: Teller<Connection> | undefined) {
    this.#session = session;
    this.#teller = teller;
  }

  record(failures: readonly FailedJob[]): Promise<void> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.record(connection, failures));
  }

  list(filter: FailedJobFilter = {}): Promise<FailedJob[]> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.list(connection, filter));
  }

  find(ids: readonly string[]): Promise<FailedJob[]> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.find(connection, ids));
  }

  forget(uuids: readonly string[]): Promise<number> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.forget(connection, uuids));
  }

  flush(options: { readonly beforeMs?: number } = {}): Promise<number> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.flush(connection, options.beforeMs));
  }

  async retry(uuids: readonly string[]): Promise<RetryOutcome[]> {
    let stored: Change[] = [];
    const outcomes = await this.#session.run((connection, { failedJobs }) => {
      stored = [];
      return failedJobs.retry(connection, uuids, (change) => stored.push(change));
    });
    for (const change of stored) this.#teller?.tell(change);
    return outcomes;
  }

  /** The connector's `fail`: records the jobs whose leases are held and deletes them, as one operation. */
  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.#session.run((connection, { failedJobs }) => failedJobs.fail(connection, failures));
  }
}
