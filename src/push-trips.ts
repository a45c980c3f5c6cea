import type { Connector, NewJob, PushOutcome } from './connector.js';
import { isQueueError } from './errors.js';

/** What one call to the store may carry: a page of jobs, and payloads of a megabyte in all. */
const mostJobs = 250;
const mostCharacters = 1_000_000;

interface Push {
  readonly job: NewJob;
  resolve(outcome: PushOutcome): void;
  reject(error: unknown): void;
}

/**
 * Stores jobs that are pushed one by one. Those of one queue that are pushed without waiting for each other share a
 * call to the store, in their order; each push still learns its own fate.
 */
export class PushTrips {
  readonly #connector: Connector;
  #waiting = new Map<string, Push[]>();

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** True where a push runs the job. */
  get inline(): boolean {
    return this.#connector.inline ?? false;
  }

  /** Resolves once the job is stored, or a job of its id already was; rejects with the store's error. */
  async push(queue: string, job: NewJob): Promise<PushOutcome> {
    // An inline connection runs the job, whose error is this push's alone.
    if (this.inline) {
      const [outcome = 'stored'] = await this.#connector.push(queue, [job]);
      return outcome;
    }
    return await new Promise<PushOutcome>((resolve, reject) => {
      // Behind the promises that are settled already, so that what they push comes along.
      if (this.#waiting.size === 0) queueMicrotask(() => this.#leave());
      const pushes = this.#waiting.get(queue);
      const push = { job, resolve, reject };
      if (pushes) pushes.push(push);
      else this.#waiting.set(queue, [push]);
    });
  }

  #leave(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [queue, pushes] of waiting) {
      if (pushes.length === 1) void this.#store(queue, pushes);
      else for (const page of pagesOf(pushes)) void this.#store(queue, page);
    }
  }

  async #store(queue: string, pushes: readonly Push[]): Promise<void> {
    try {
      const outcomes = await this.#connector.push(
        queue,
        pushes.map(({ job }) => job),
      );
      for (const [index, { resolve }] of pushes.entries()) resolve(outcomes[index] ?? 'stored');
    } catch (error) {
      // What the store refuses may be one of them: the others shall not go down with it.
      if (pushes.length > 1 && !(isQueueError(error) && error.transient)) {
        for (const push of pushes) await this.#store(queue, [push]);
      } else {
        for (const { reject } of pushes) reject(error);
      }
    }
  }
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
