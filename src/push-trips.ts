import type { Connector, NewJob, PushOutcome } from './connector.js';
import { isQueueError } from './errors.js';

/** What one call to the store may carry: a page of jobs, and payloads of a megabyte in all. */
const mostJobs = 250;
const mostCharacters = 1_000_000;

interface Push {
  readonly queue: string;
  readonly job: NewJob;
  stored(outcome: PushOutcome): void;
  failed(error: unknown): void;
}

/** Where nothing is under way. */
const now = Promise.resolve();

/**
 * Stores jobs that are pushed one by one. Those of one queue that are pushed without waiting for each other share a
 * call to the store, in their order; each push still learns its own fate.
 */
export class PushTrips {
  readonly #connector: Connector;
  readonly #start = () => this.#leave();
  #waiting: Push[] = [];

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** True where a push runs the job. */
  get inline(): boolean {
    return this.#connector.inline ?? false;
  }

  /**
   * Resolves with the answer of `stored` once the job is stored, or a job of its id already was; rejects with the
   * store's error.
   */
  push<T>(queue: string, job: NewJob, stored: (outcome: PushOutcome) => T): Promise<T> {
    // An inline connection runs the job, whose error is this push's alone.
    if (this.inline)
      return this.#connector.push(queue, [job]).then(([outcome = 'stored']) => stored(outcome));
    return new Promise<T>((resolve, failed) => {
      const told = (outcome: PushOutcome): void => resolve(stored(outcome));
      // Behind the promises that are settled already, so that what they push comes along.
      if (this.#waiting.push({ queue, job, stored: told, failed }) === 1) void now.then(this.#start);
    });
  }

  #leave(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pushes of byQueue(waiting)) {
      const [{ queue }] = pushes as [Push];
      if (pushes.length === 1) void this.#store(queue, pushes);
      else for (const page of pagesOf(pushes)) void this.#store(queue, page);
    }
  }

  /** Never rejects: each push is told what became of it. */
  #store(queue: string, pushes: readonly Push[]): Promise<void> {
    return this.#pushed(queue, pushes.map(jobOf)).then(
      (outcomes) => {
        for (let index = 0; index < pushes.length; index++) {
          tell(pushes[index] as Push, outcomes[index] ?? 'stored');
        }
      },
      (error: unknown) => this.#failed(queue, pushes, error),
    );
  }

  /** A connector that throws has refused the jobs, as if it rejected. */
  #pushed(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    try {
      return this.#connector.push(queue, jobs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #failed(queue: string, pushes: readonly Push[], error: unknown): Promise<void> {
    // What the store refuses may be one of them: the others shall not go down with it.
    if (pushes.length > 1 && !(isQueueError(error) && error.transient)) {
      for (const push of pushes) await this.#store(queue, [push]);
    } else {
      for (const { failed } of pushes) failed(error);
    }
  }
}

function jobOf({ job }: Push): NewJob {
  return job;
}

function tell({ stored, failed }: Push, outcome: PushOutcome): void {
  try {
    stored(outcome);
  } catch (error) {
    failed(error);
  }
}

function byQueue(pushes: readonly Push[]): Iterable<readonly Push[]> {
  const first = pushes[0]?.queue;
  if (pushes.every(({ queue }) => queue === first)) return [pushes];
  const groups = new Map<string, Push[]>();
  for (const push of pushes) {
    if (!groups.get(push.queue)?.push(push)) groups.set(push.queue, [push]);
  }
  return groups.values();
}

function* pagesOf(pushes: readonly Push[]): Generator<readonly Push[]> {
  let from = 0;
  let characters = 0;
  for (const [index, { job }] of pushes.entries()) {
    const isFull = index - from >= mostJobs || characters + job.body.length > mostCharacters;
    if (isFull && index > from) {
      yield pushes.slice(from, index);
      from = index;
      characters = 0;
    }
    characters += job.body.length;
  }
  yield pushes.slice(from);
}
