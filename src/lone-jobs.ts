import type { HeldJob } from './held-job.js';

/**
 * Jobs that may run only while no other runs in this process: they were under way when a process died, and whichever
 * of them kills the next shall be known. They wait here until the slots are empty.
 */
export class LoneJobs {
  readonly #waiting: HeldJob[] = [];
  #running = false;

  get size(): number {
    return this.#waiting.length;
  }

  /** True while nothing else may be started. */
  get inTheWay(): boolean {
    return this.#running || this.#waiting.length > 0;
  }

  add(jobs: readonly HeldJob[]): void {
    this.#waiting.push(...jobs);
  }

  /** The next to start, where nothing runs any more. */
  next(): HeldJob | undefined {
    const next = this.#waiting.shift();
    this.#running = next !== undefined;
    return next;
  }

  /** Takes a job off whose lease was lost while it waited. Answers whether it waited here. */
  drop(job: HeldJob): boolean {
    const index = this.#waiting.indexOf(job);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /** Takes all off that wait. */
  takeAll(): HeldJob[] {
    return this.#waiting.splice(0);
  }
}
