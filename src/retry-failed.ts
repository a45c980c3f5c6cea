import type { Connections } from './connections.js';
import { isQueueError } from './errors.js';
import type { FailedJob, FailedJobStore, RetryOutcome } from './failed-jobs.js';
import { withTimeToTry } from './payload.js';

/** How much goes into one call: what a killed retry across stores may run twice, and what a server takes at once. */
const mostJobs = 100;
const mostBytes = 1_048_576;

const generatedId = /^[\da-f]{8}-[\da-f]{4}-[47][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** Puts the failed jobs of one store back into their queues. */
export class FailedJobMover {
  readonly #store: FailedJobStore;
  readonly #storeName: string;
  readonly #connections: Connections;
  readonly #nowMs: number;

  /** @param storeName the connection that the store belongs to. */
  constructor(store: FailedJobStore, storeName: string, connections: Connections, nowMs: number) {
    this.#store = store;
    this.#storeName = storeName;
    this.#connections = connections;
    this.#nowMs = nowMs;
  }

  /**
   * Moves those of the jobs that are on record here, in batches: in one operation where their queue is in this
   * store, else pushed and then forgotten.
   *
   * @param errors gets what went wrong with a batch; the other batches are moved all the same.
   */
  async move(uuids: readonly string[], errors: unknown[]): Promise<Map<string, RetryOutcome>> {
    const outcomes = new Map<string, RetryOutcome>();
    for (let at = 0; at < uuids.length; at += mostJobs) {
      const jobs = await this.#store.find(uuids.slice(at, at + mostJobs));
      for (const { together, call } of this.#calls(jobs)) {
        await this.#carryOut(together, call, outcomes, errors);
      }
    }
    return outcomes;
  }

  /** A store that does not take several jobs at once gets them one by one. */
  async #carryOut(
    together: readonly FailedJob[],
    call: () => Promise<RetryOutcome[]>,
    outcomes: Map<string, RetryOutcome>,
    errors: unknown[],
  ): Promise<void> {
    try {
      const answers = await call();
      for (const [index, { uuid }] of together.entries()) outcomes.set(uuid, answers[index] ?? 'not-found');
    } catch (error) {
      if (together.length === 1 || !isQueueError(error, 'E_UNSUPPORTED')) {
        errors.push(error);
        return;
      }
      for (const job of together) {
        await this.#carryOut([job], () => this.#pushBack([job]), outcomes, errors);
      }
    }
  }

  *#calls(jobs: readonly FailedJob[]): Generator<{ together: FailedJob[]; call(): Promise<RetryOutcome[]> }> {
    const { retry } = this.#store;
    for (const together of batches(jobs)) {
      const [first] = together as [FailedJob];
      // A job whose end time is past gets a new one: its body is not what is on record, so it is pushed.
      const inStore = retry && first.connection === this.#storeName;
      const renewed = inStore ? together.filter((job) => this.#renewed(job)) : together;
      const moved = together.filter((job) => !renewed.includes(job));
      if (moved.length > 0) {
        const ids = moved.map(({ uuid }) => uuid);
        yield { together: moved, call: () => retry?.call(this.#store, ids) ?? Promise.resolve([]) };
      }
      if (renewed.length > 0) yield { together: renewed, call: () => this.#pushBack(renewed) };
    }
  }

  /**
   * Pushes, then forgets what was stored. A process that is killed in between leaves a job in both places, never in
   * none. That its generated id is live already tells that an earlier retry came so far; an id that somebody chose
   * may be another job's, and keeps the record.
   */
  async #pushBack(jobs: readonly FailedJob[]): Promise<RetryOutcome[]> {
    const [{ connection, queue }] = jobs as [FailedJob];
    const bodies = jobs.map((job) => ({
      id: job.jobId,
      body: this.#renewed(job) ?? job.payload,
      unique: true,
    }));
    const pushed = await this.#connections.connector(connection).push(queue, bodies);
    const isLive = (job: FailedJob, index: number) =>
      pushed[index] !== 'already-there' || generatedId.test(job.jobId);
    const live = jobs.filter(isLive);
    if (live.length > 0) await this.#store.forget(live.map(({ uuid }) => uuid));
    return jobs.map((job, index) => (isLive(job, index) ? 'retried' : 'already-there'));
  }

  #renewed(job: FailedJob): string | undefined {
    return withTimeToTry(job.payload, this.#nowMs);
  }
}

/** Jobs of one connection and queue, not too many and not too large together. */
function* batches(jobs: readonly FailedJob[]): Generator<FailedJob[]> {
  const lanes = new Map<string, FailedJob[]>();
  for (const job of jobs) {
    const key = JSON.stringify([job.connection, job.queue]);
    lanes.set(key, [...(lanes.get(key) ?? []), job]);
  }
  for (const lane of lanes.values()) {
    let batch: FailedJob[] = [];
    let bytes = 0;
    for (const job of lane) {
      if (batch.length > 0 && bytes + job.payload.length > mostBytes) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(job);
      bytes += job.payload.length;
    }
    if (batch.length > 0) yield batch;
  }
}
