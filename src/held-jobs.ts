import type { HeldJob } from './held-job.js';
import { monotonicMs } from './monotonic.js';

/**
 * How long a job is held at most: then it is given back, for a worker that has a slot for it. Half as long again as the
 * work that is held ahead shall take, so that this is rare where jobs are as quick as they were.
 */
const longestHeldMs = 60;

/** Jobs that were reserved ahead of the slots that shall run them, in the order in which they came. */
export class HeldJobs {
  readonly #giveBack: (jobs: readonly HeldJob[]) => void;
  readonly #onInVain: () => void;
  #jobs: HeldJob[] = [];
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param giveBack returns jobs to the store with their attempts unspent.
   * @param onInVain called before jobs go back that were held for too long.
   */
  constructor(giveBack: (jobs: readonly HeldJob[]) => void, onInVain: () => void) {
    this.#giveBack = giveBack;
    this.#onInVain = onInVain;
  }

  get size(): number {
    return this.#jobs.length - this.#taken;
  }

  add(jobs: readonly HeldJob[]): void {
    if (this.#taken > 0) this.#forget();
    const now = monotonicMs();
    for (const job of jobs) {
      job.sinceMs = now;
      this.#jobs.push(job);
    }
    if (this.size > 0) this.#timer ??= this.#expireIn(longestHeldMs);
  }

  take(): HeldJob | undefined {
    const job = this.#jobs[this.#taken];
    if (job === undefined) return undefined;
    this.#taken += 1;
    if (this.size === 0) this.#forget(); // none of them shall stay in memory until the next come
    return job;
  }

  /** @param first was held until now, and goes back before the rest. */
  giveBackAll(first?: HeldJob): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forget();
    const rest = this.#jobs;
    this.#jobs = [];
    const jobs = first ? [first, ...rest] : rest;
    if (jobs.length > 0) this.#giveBack(jobs);
  }

  /** Drops those that were taken. */
  #forget(): void {
    this.#jobs = this.#jobs.slice(this.#taken);
    this.#taken = 0;
  }

  /** Where the first is too old all go back, so that none behind it overtakes it. */
  #expire(): void {
    this.#timer = undefined;
    const first = this.#jobs[this.#taken];
    if (first === undefined) return;
    const leftMs = first.sinceMs + longestHeldMs - monotonicMs();
    if (leftMs > 0) {
      this.#timer = this.#expireIn(leftMs);
      return;
    }
    this.#onInVain();
    this.giveBackAll();
  }

  #expireIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), Math.ceil(ms));
  }
}
