import type { HeldJob } from './held-job.js';

/** How long a job is held at most: then it is given back, for a worker that has a slot for it. */
const longestHeldMs = 80;

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
    this.#jobs.splice(0, this.#taken);
    this.#taken = 0;
    for (const job of jobs) this.#jobs.push(job);
    if (this.size > 0) this.#timer ??= setTimeout(() => this.#expire(), longestHeldMs);
  }

  take(): HeldJob | undefined {
    return this.#jobs[this.#taken] && this.#jobs[this.#taken++];
  }

  giveBackAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#giveBackFirst(this.size);
  }

  #expire(): void {
    this.#timer = undefined;
    const latestMs = performance.now() - longestHeldMs;
    const left = this.#jobs.slice(this.#taken);
    const young = left.findIndex(({ askedMs }) => askedMs > latestMs);
    const tooOld = young < 0 ? left.length : young;
    if (tooOld > 0) this.#onInVain();
    this.#giveBackFirst(tooOld);
    if (this.size > 0) this.#timer = setTimeout(() => this.#expire(), longestHeldMs);
  }

  #giveBackFirst(count: number): void {
    if (count === 0) return;
    const jobs = this.#jobs.slice(this.#taken, this.#taken + count);
    this.#taken += count;
    this.#giveBack(jobs);
  }
}
