import { setTimeout as pause } from 'node:timers/promises';
import { type AfterBatch, afterBatch } from './buffer-policy.js';
import { isQueueError, QueueError } from './errors.js';
import { monotonicMs } from './monotonic.js';
import type { PreparedJob } from './push.js';

/** A job that waits in memory for its batch. */
export interface Waiting {
  readonly prepared: PreparedJob;
  resolve(): void;
  reject(error: unknown): void;
}

/** How a {@link BufferLane} works. */
export interface LaneOptions {
  readonly batchSize: number;
  readonly lingerMs: number;
  readonly retryForMs: number;
  /** Stores jobs of the lane's queue, all or none. */
  store(jobs: readonly PreparedJob[]): Promise<unknown>;
  /** Told of jobs that were not stored, or may not have been. */
  onLost(error: unknown, jobs: readonly Waiting[]): void;
}

/** The jobs of one queue on their way: one batch at a time, in the order in which they were pushed. */
export class BufferLane {
  readonly #options: LaneOptions;
  #waiting: Waiting[] = [];
  #underWay: Promise<void> | undefined;
  /** While it runs the process does not end by itself. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  add(job: Waiting): void {
    this.#waiting.push(job);
    if (this.#waiting.length >= this.#options.batchSize) this.#leave();
    else this.#linger();
  }

  /** Sets off by itself soon, unless what is under way takes along what waits. */
  #linger(): void {
    if (this.#underWay !== undefined || this.#waiting.length === 0) return;
    this.#timer ??= setTimeout(() => this.#leave(), this.#options.lingerMs);
  }

  /** Sends what waits now, and resolves when nothing waits any more. Never rejects. */
  async flush(): Promise<void> {
    this.#leave();
    await this.#underWay;
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#underWay ??= this.#send().finally(() => {
      this.#underWay = undefined;
      this.#linger(); // what came as it ended
    });
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#store(this.#waiting.splice(0, this.#options.batchSize));
    }
  }

  /** Sends a batch until the fate of each of its jobs is known. */
  async #store(batch: readonly Waiting[]): Promise<void> {
    const until = monotonicMs() + this.#options.retryForMs;
    let left = batch;
    for (let tries = 1; left.length > 0; tries += 1) {
      try {
        await this.#options.store(left.map(({ prepared }) => prepared));
        for (const { resolve } of left) resolve();
        return;
      } catch (error) {
        const fates = left.map(({ prepared }) => ({
          unique: prepared.job.unique ?? false,
          batchSize: left.length,
          tries,
          leftMs: until - monotonicMs(),
          random: Math.random(),
        }));
        const sorted = sortedBy(
          left,
          fates.map((about) => afterBatch(error, about)),
        );
        this.#giveUp(sorted['give-up'].jobs, error);
        for (const job of sorted.alone.jobs) await this.#store([job]);
        left = sorted.retry.jobs;
        if (left.length > 0) await pause(sorted.retry.waitMs);
      }
    }
  }

  #giveUp(jobs: readonly Waiting[], error: unknown): void {
    if (jobs.length === 0) return;
    for (const { prepared, reject } of jobs) reject(ofOneJob(error, prepared.job.id));
    this.#options.onLost(error, jobs);
  }
}

interface Fate {
  readonly jobs: Waiting[];
  waitMs: number;
}

function sortedBy(
  jobs: readonly Waiting[],
  fates: readonly AfterBatch[],
): Record<AfterBatch['action'], Fate> {
  const none = (): Fate => ({ jobs: [], waitMs: 0 });
  const sorted = { retry: none(), alone: none(), 'give-up': none() };
  for (const [index, job] of jobs.entries()) {
    const fate = fates[index] as AfterBatch;
    sorted[fate.action].jobs.push(job);
    if (fate.action === 'retry') sorted.retry.waitMs = fate.waitMs;
  }
  return sorted;
}

/** Where it is open whether a job was stored, the error names that job and not all of its batch. */
function ofOneJob(error: unknown, id: string): unknown {
  if (!isQueueError(error) || !error.ambiguous) return error;
  const { code, message, fix, transient } = error;
  return new QueueError(code, `whether job ${id} was stored is open: ${message}`, {
    ...(fix !== undefined && { fix }),
    transient,
    ambiguous: true,
    ids: [id],
    cause: error,
  });
}
