import type { Connector, Failure, ReservedJob } from './connector.js';
import type { FailedJobStore } from './failed-jobs.js';
import type { Logger } from './logger.js';

/** Where jobs that are given up are recorded: with their queue, in another store, or, by explicit choice, nowhere. */
export type FailedPlace =
  | { readonly kind: 'same-store' }
  | { readonly kind: 'other-store'; readonly store: FailedJobStore }
  | { readonly kind: 'none' };

/** Puts the jobs on record that are given up, where their connection keeps them. */
export class FailureRecords {
  readonly #connector: Connector;
  readonly #failedPlace: FailedPlace;
  readonly #leaseMs: number;
  readonly #logger: Logger;

  constructor(connector: Connector, failedPlace: FailedPlace, leaseMs: number, logger: Logger) {
    this.#connector = connector;
    this.#failedPlace = failedPlace;
    this.#leaseMs = leaseMs;
    this.#logger = logger;
  }

  /** Whether a record is kept of a job that fails. */
  get areKept(): boolean {
    return this.#failedPlace.kind !== 'none';
  }

  /**
   * Whether a job has a record in another store already: whoever wrote it died before the delete. Where the store
   * does not answer nobody knows.
   */
  async isRecorded({ id, queue }: ReservedJob, connection: string): Promise<boolean> {
    if (this.#failedPlace.kind !== 'other-store') return false;
    try {
      const records = await this.#failedPlace.store.find([id]);
      return records.some((record) => record.connection === connection && record.queue === queue);
    } catch (error) {
      this.#logger.warn({ err: error, id }, 'could not look for the record of a job');
      return false;
    }
  }

  /** Which of the jobs have failed after all: those whose record an earlier try wrote. */
  async onRecord(failures: readonly Failure[], held: readonly boolean[]): Promise<boolean[]> {
    if (this.#failedPlace.kind === 'none') return held.map(() => true);
    const records = await this.#recordStore().find(failures.map(({ record }) => record.uuid));
    const known = new Set(records.map((record) => record.uuid));
    return failures.map(({ record }, index) => held[index] === true || known.has(record.uuid));
  }

  /** Records the failures that are still ours, then deletes their jobs; answers which were. */
  async recordAndDelete(failures: readonly Failure[]): Promise<boolean[]> {
    const connector = this.#connector;
    const leases = failures.map((failure) => failure.lease);
    if (this.#failedPlace.kind === 'none') return connector.delete(leases);
    if (this.#failedPlace.kind === 'same-store' && connector.fail) return connector.fail(failures);
    // Two stores: first make sure that the jobs are still ours, so that no record of another worker's
    // job is written; then record, then delete. A crash in between leaves a job in both, never in none.
    const held = await connector.extend(leases, this.#leaseMs);
    const ours = failures.filter((_, index) => held[index]);
    if (ours.length === 0) return held;
    await this.#recordStore().record(ours.map((failure) => failure.record));
    const deleted = await connector.delete(ours.map((failure) => failure.lease));
    // Another worker took the job in between: what it makes of it is what counts.
    const lost = ours.filter((_, index) => !deleted[index]).map((failure) => failure.record.uuid);
    if (lost.length > 0) await this.#recordStore().forget(lost);
    let next = 0;
    return held.map((isOurs) => isOurs && deleted[next++] === true);
  }

  #recordStore(): FailedJobStore {
    const store =
      this.#failedPlace.kind === 'other-store' ? this.#failedPlace.store : this.#connector.failedJobs;
    if (!store)
      throw new TypeError('a connection without failed jobs must be resolved before its worker starts');
    return store;
  }
}
