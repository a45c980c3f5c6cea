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
   */
  async retry(jobs: readonly FailedJob[]): Promise<Retried[]> {
    const retried: Retried[] = [];
    for (const [name, store] of this.#connections.failedStores()) {
      for (const job of await store.find(jobs.map((one) => one.uuid))) {
        const move = job.connection === name ? store.retry?.bind(store) : undefined;
        const outcome = move
          ? ((await move([job.uuid]))[0] ?? 'not-found')
          : await this.#pushBack(job, store);
        retried.push({ job, outcome });
      }
    }
    return retried;
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
    const [outcome] = await connector.push(job.queue, [{ id: job.jobId, body: job.payload }]);
    // A live job of that id is either a copy that an earlier, interrupted retry stored, or a new one under
    // the same id, which then stands for this one: both ways nothing is lost by removing the record.
    await store.forget([job.uuid]);
    return outcome === 'stored' ? 'retried' : 'already-there';
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
