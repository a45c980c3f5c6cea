import type { Connections } from './connections.js';
import type { FailedJob, FailedJobFilter, FailedJobStore, RetryOutcome } from './failed-jobs.js';

/** A failed job and what a retry did with it. */
export interface Retried {
  readonly job: FailedJob;
  readonly outcome: RetryOutcome;
}

/** The failed jobs of all connections of a queue: `queue.failed`. */
export class FailedJobs {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Newest first. */
  async list(filter: FailedJobFilter = {}): Promise<FailedJob[]> {
    const { limit = 100, offset = 0 } = filter;
    const lists = await Promise.all(
      this.#stores().map((store) => store.list({ ...filter, offset: 0, limit: offset + limit })),
    );
    return lists
      .flat()
      .sort(newestFirst)
      .slice(offset, offset + limit);
  }

  /** The failed jobs of these uuids or job ids, newest first. */
  async find(ids: readonly string[]): Promise<FailedJob[]> {
    const lists = await Promise.all(this.#stores().map((store) => store.find(ids)));
    return lists.flat().sort(newestFirst);
  }

  /**
   * Puts failed jobs back into their queues, due now and with no attempt spent. One atomic move where the
   * record and the queue share a store; else the job is pushed, and its record removed once it is stored.
   * A record stays while a job of its id is live. Answers per job, in the order given.
   *
   * @throws the error of a store or of a connection that the config has no more; the others were retried.
   */
  async retry(jobs: readonly FailedJob[]): Promise<Retried[]> {
    const outcomes = new Map<string, RetryOutcome>();
    const errors: unknown[] = [];
    for (const [name, store] of this.#connections.failedStores()) {
      for (const job of await store.find(jobs.map((one) => one.uuid))) {
        try {
          outcomes.set(job.uuid, await this.#retryOne(job, name, store));
        } catch (error) {
          errors.push(error);
        }
      }
    }
    if (errors.length > 0) throw errors[0];
    return jobs.map((job) => ({ job, outcome: outcomes.get(job.uuid) ?? 'not-found' }));
  }

  async #retryOne(job: FailedJob, storeName: string, store: FailedJobStore): Promise<RetryOutcome> {
    if (job.connection !== storeName || !store.retry) return this.#pushBack(job, store);
    return (await store.retry([job.uuid]))[0] ?? 'not-found';
  }

  /** Removes records by uuid; answers how many were there. */
  async forget(uuids: readonly string[]): Promise<number> {
    return sum(await Promise.all(this.#stores().map((store) => store.forget(uuids))));
  }

  /** Removes all records, or those that failed before a time (ms since the epoch); answers how many. */
  async flush(options: { readonly beforeMs?: number } = {}): Promise<number> {
    return sum(await Promise.all(this.#stores().map((store) => store.flush(options))));
  }

  async #pushBack(job: FailedJob, store: FailedJobStore): Promise<RetryOutcome> {
    const connector = this.#connections.connector(job.connection);
    // Unique, so that a job is not doubled whose record an earlier retry did not come to remove.
    const again = { id: job.jobId, body: job.payload, unique: true };
    const [outcome] = await connector.push(job.queue, [again]);
    if (outcome !== 'stored') return 'already-there';
    await store.forget([job.uuid]);
    return 'retried';
  }

  #stores(): FailedJobStore[] {
    return [...this.#connections.failedStores().values()];
  }
}

function newestFirst(a: FailedJob, b: FailedJob): number {
  return b.failedAtMs - a.failedAtMs;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
