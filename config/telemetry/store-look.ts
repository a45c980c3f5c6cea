import {
  isQueueError,
  monotonicMs,
  type Queue,
  type QueueReading,
  type WorkerInfo,
} from '../../src/index.js';

/** What a store said when it was looked at. */
export interface StoreReading {
  readonly queues: readonly QueueReading[];
  /** Undefined where the store keeps no list of workers. */
  readonly workers: readonly WorkerInfo[] | undefined;
}

/** Which queues to look at, and how long to wait. */
export interface StoreLookOptions {
  readonly queues: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Looks at the store of a connection for those who scrape and probe. There is one look at a time, whoever asks, and
 * nobody waits for it longer than `timeoutMs`: a store that hangs is not asked again until it has answered.
 */
export class StoreLook {
  readonly #queue: Queue;
  readonly #options: StoreLookOptions;
  #underWay: Promise<StoreReading | undefined> | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #problem = 'was not asked yet';

  constructor(queue: Queue, options: StoreLookOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  get connection(): string {
    return this.#queue.connectionName;
  }

  /** What the store says, or undefined where it refuses or is not in time. Never rejects. */
  async read(): Promise<StoreReading | undefined> {
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.#problem = `did not answer within ${this.#options.timeoutMs} ms`;
        resolve(undefined);
      }, this.#options.timeoutMs);
    });
    const reading = await Promise.race([this.#underWay, tooLate]);
    clearTimeout(timer);
    return reading;
  }

  /** Why the store cannot be said to answer, or undefined where it did within `withinMs`, or does now. */
  async problem(withinMs: number): Promise<string | undefined> {
    if (monotonicMs() - this.#answeredAtMs < withinMs) return undefined;
    return (await this.read()) ? undefined : this.#problem;
  }

  async #ask(): Promise<StoreReading | undefined> {
    try {
      const [queues, workers] = await Promise.all([
        // No queue has more, so nobody hears of one that is busy.
        this.#queue.monitor({ queues: this.#options.queues, max: Number.MAX_SAFE_INTEGER }),
        this.#workers(),
      ]);
      this.#answeredAtMs = monotonicMs();
      return { queues, workers };
    } catch (error) {
      this.#problem = isQueueError(error) ? `refuses: ${error.code}` : 'refuses';
      return undefined;
    }
  }

  async #workers(): Promise<readonly WorkerInfo[] | undefined> {
    try {
      return await this.#queue.workers();
    } catch (error) {
      if (isQueueError(error, 'E_UNSUPPORTED')) return undefined;
      throw error;
    }
  }
}
