import type { Clock } from './clock.js';
import type { Connections } from './connections.js';
import { partsOfClass } from './error-text.js';
import type { FailedJob, FailedJobFilter, FailedJobStore, RetryOutcome } from './failed-jobs.js';

/** Records that `retryAll` looks at in one go. */
const pageSize = 500;

/** A failed job and what a retry did with it. */
export interface Retried {
  readonly job: FailedJob;
  readonly outcome: RetryOutcome;
}

/** The failed jobs of all connections of a queue: `queue.failed`. */
export class FailedJobs {
  readonly #connections: Connections;
  readonly #clock: Clock;

  /** @internal */
  constructor(connections: Connections, clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
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
      .slice(offset, offset + limit)
      .map(withCode);
  }

  /** The failed jobs of these uuids or job ids, newest first. */
  async find(ids: readonly string[]): Promise<FailedJob[]> {
    const lists = await Promise.all(this.#stores().map((store) => store.find(ids)));
    return lists.flat().sort(newestFirst).map(withCode);
  }

  /**
   * Puts failed jobs back into their queues, due now and with no attempt spent. One atomic move where the
   * record and the queue share a store; else, and where the job's end time is past and is set anew, the job is
   * pushed, and its record removed once it is stored. A record stays while a job of its id is live, unless that
   * is this very job, from a retry that was cut short. Answers per job, in the order given.
   *
   * @throws the error of a store or of a connection that the config has no more; the others were retried.
   */
  async retry(jobs: readonly FailedJob[]): Promise<Retried[]> {
    const { FailedJobMover } = await import('./operations.js');
    const outcomes = new Map<string, RetryOutcome>();
    const errors: unknown[] = [];
    const uuids = jobs.map(({ uuid }) => uuid);
    for (const [name, store] of this.#connections.failedStores()) {
      const mover = new FailedJobMover(store, name, this.#connections, this.#clock.now());
      for (const [uuid, outcome] of await mover.move(uuids, errors)) outcomes.set(uuid, outcome);
    }
    if (errors.length > 0) throw errors[0];
    return jobs.map((job) => ({ job, outcome: outcomes.get(job.uuid) ?? 'not-found' }));
  }

  /**
   * Retries every failed job that a filter lets through, in batches, and hands on what became of each.
   *
   * Each job is retried once, also when it fails again at once and stands at the top of the list anew, and
   * records that stay (a job of that id is live) are passed over: it ends whatever the jobs do. It may be cut
   * short at any point and called again.
   */
  async *retryAll(filter: Omit<FailedJobFilter, 'limit' | 'offset'> = {}): AsyncGenerator<Retried> {
    const handled = new Set<string>();
    for (let offset = 0, seen = 0; ; ) {
      const page = await this.list({ ...filter, limit: pageSize, offset });
      if (page.length === 0) {
        if (seen === 0 || offset === 0) return;
        // Records that went meanwhile may have drawn others up past where it looked: once more.
        offset = seen = 0;
        continue;
      }
      const fresh = page.filter((job) => !handled.has(keyOf(job)));
      for (const job of fresh) handled.add(keyOf(job));
      seen += fresh.length;
      const retried = fresh.length === 0 ? [] : await this.retry(fresh);
      yield* retried;
      offset += page.length - retried.filter(({ outcome }) => outcome !== 'already-there').length;
    }
  }

  /** Removes records by uuid; answers how many were there. */
  async forget(uuids: readonly string[]): Promise<number> {
    return sum(await Promise.all(this.#stores().map((store) => store.forget(uuids))));
  }

  /** Removes all records, or those that failed before a time (ms since the epoch); answers how many. */
  async flush(options: { readonly beforeMs?: number } = {}): Promise<number> {
    return sum(await Promise.all(this.#stores().map((store) => store.flush(options))));
  }

  #stores(): FailedJobStore[] {
    return [...this.#connections.failedStores().values()];
  }
}

/** A record with the error's class and code apart. */
function withCode(job: FailedJob): FailedJob {
  const { class: errorClass, code } = partsOfClass(job.errorClass);
  return code === undefined ? job : { ...job, errorClass, errorCode: code };
}

function keyOf({ connection, queue, jobId }: FailedJob): string {
  return JSON.stringify([connection, queue, jobId]);
}

function newestFirst(a: FailedJob, b: FailedJob): number {
  return b.failedAtMs - a.failedAtMs;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
