import type { FailedJob, FailedJobFilter, FailedJobStore, RetryOutcome } from '../../src/index.js';

/** What the failed-job store needs of its connector. */
export interface FailedJobsOptions {
  /** @throws QueueError `E_QUEUE_CLOSED` after the connector was closed. */
  assertOpen(): void;
  /** Makes the record's job wait again in its queue; false when a job of that id is there already. */
  restore(record: FailedJob): boolean;
}

/** Given-up jobs in this process's memory. */
export class MemoryFailedJobs implements FailedJobStore {
  /** By connection, queue and job id; in the order recorded. */
  readonly #records = new Map<string, FailedJob>();
  readonly #options: FailedJobsOptions;

  constructor(options: FailedJobsOptions) {
    this.#options = options;
  }

  async record(failures: readonly FailedJob[]): Promise<void> {
    this.#options.assertOpen();
    for (const failure of failures) this.keep(failure);
  }

  async list(filter: FailedJobFilter = {}): Promise<FailedJob[]> {
    this.#options.assertOpen();
    const { limit = 100, offset = 0 } = filter;
    return this.#newestFirst((record) => matches(record, filter)).slice(offset, offset + limit);
  }

  async find(ids: readonly string[]): Promise<FailedJob[]> {
    this.#options.assertOpen();
    return this.#newestFirst(({ uuid, jobId }) => ids.includes(uuid) || ids.includes(jobId));
  }

  async forget(uuids: readonly string[]): Promise<number> {
    this.#options.assertOpen();
    return this.#remove(({ uuid }) => uuids.includes(uuid));
  }

  async flush({ beforeMs = Number.POSITIVE_INFINITY }: { readonly beforeMs?: number } = {}): Promise<number> {
    this.#options.assertOpen();
    return this.#remove(({ failedAtMs }) => failedAtMs < beforeMs);
  }

  async retry(uuids: readonly string[]): Promise<RetryOutcome[]> {
    this.#options.assertOpen();
    const byUuid = new Map([...this.#records.values()].map((record) => [record.uuid, record]));
    return uuids.map((uuid) => {
      const record = byUuid.get(uuid);
      if (record === undefined) return 'not-found';
      if (!this.#options.restore(record)) return 'already-there';
      byUuid.delete(uuid);
      this.#records.delete(keyOf(record));
      return 'retried';
    });
  }

  /** Keeps a record within the caller's turn, so that `fail` can delete the job in the same step. */
  keep(record: FailedJob): void {
    const key = keyOf(record);
    // A Map keeps the place of a key that is set again; the newer record belongs at the end.
    this.#records.delete(key);
    this.#records.set(key, record);
  }

  #newestFirst(isWanted: (record: FailedJob) => boolean): FailedJob[] {
    const records = [...this.#records.values()].filter(isWanted).reverse();
    return records.sort((a, b) => b.failedAtMs - a.failedAtMs);
  }

  #remove(isUnwanted: (record: FailedJob) => boolean): number {
    const before = this.#records.size;
    for (const [key, record] of this.#records) if (isUnwanted(record)) this.#records.delete(key);
    return before - this.#records.size;
  }
}

function keyOf({ connection, queue, jobId }: FailedJob): string {
  return JSON.stringify([connection, queue, jobId]);
}

function matches(record: FailedJob, { connection, queue, name, sinceMs, untilMs }: FailedJobFilter): boolean {
  return (
    (connection === undefined || record.connection === connection) &&
    (queue === undefined || record.queue === queue) &&
    (name === undefined || record.name === name) &&
    (sinceMs === undefined || record.failedAtMs >= sinceMs) &&
    (untilMs === undefined || record.failedAtMs <= untilMs)
  );
}
