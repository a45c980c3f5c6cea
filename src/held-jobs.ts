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
    const jobs = this.#jobs.slice(this.#taken);
    this.#taken = this.#jobs.length;
    if (jobs.length > 0) this.#giveBack(jobs);
  }

  /** Where the first is too old all go back, so that none behind it overtakes it. */
  #expire(): void {
    this.#timer = undefined;
    const first = this.#jobs[this.#taken];
    if (first === undefined) return;
    if (first.askedMs > performance.now() - longestHeldMs) {
      this.#timer = setTimeout(() => this.#expire(), longestHeldMs);
      return;
    }
    this.#onInVain();
    this.giveBackAll();
  }
}
