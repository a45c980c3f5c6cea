import type { ReservedJob } from './connector.js';

/** How long a job is held at most: then it is given back, for a worker that has a slot for it. */
const longestHeldMs = 80;

/** A reserved job, and when the reserve was called, on the monotonic clock. */
export interface HeldJob {
  readonly reserved: ReservedJob;
  readonly askedMs: number;
}

/** Jobs that were reserved ahead of the slots that shall run them, in the order in which they came. */
export class HeldJobs {
  readonly #giveBack: (jobs: readonly ReservedJob[]) => void;
  readonly #onInVain: () => void;
  #jobs: HeldJob[] = [];
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param giveBack returns jobs to the store with their attempts unspent.
   * @param onInVain called before jobs go back that were held for too long.
   */
  constructor(giveBack: (jobs: readonly ReservedJob[]) => void, onInVain: () => void) {
    this.#giveBack = giveBack;
    this.#onInVain = onInVain;
  }

  get size(): number {
    return this.#jobs.length - this.#taken;
  }

  add(jobs: readonly ReservedJob[], askedMs: number): void {
    this.#jobs.splice(0, this.#taken);
    this.#taken = 0;
    for (const reserved of jobs) this.#jobs.push({ reserved, askedMs });
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
    const jobs = this.#jobs.slice(this.#taken, this.#taken + count).map(({ reserved }) => reserved);
    this.#taken += count;
    this.#giveBack(jobs);
  }
}
