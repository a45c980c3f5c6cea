import type { HeldJob } from './held-job.js';

/**
 * The way of jobs back to their store, in the order in which they came. Those that go while a reserve is under way wait
 * for what that brings: it came behind them, and goes back with them in one call. A store that puts what it is given back
 * before all that waits would put it before those of an earlier call.
 */
export class WayBack {
  readonly #send: (jobs: readonly HeldJob[]) => Promise<void>;
  #waiting: HeldJob[] = [];
  #whenBack: (() => void)[] = [];
  #isReserving = false;

  /** @param send returns jobs to the store. Never rejects. */
  constructor(send: (jobs: readonly HeldJob[]) => Promise<void>) {
    this.#send = send;
  }

  /** A reserve is under way, until `reserved` is called. */
  reserving(): void {
    this.#isReserving = true;
  }

  /** Takes what a reserve has brought, none where it failed. Answers true where all of it goes back. */
  reserved(jobs: readonly HeldJob[]): boolean {
    this.#isReserving = false;
    if (this.#waiting.length === 0) return false;
    void this.#sendWith(jobs);
    return true;
  }

  /** Resolves when they are back. */
  take(jobs: readonly HeldJob[]): Promise<void> {
    if (!this.#isReserving) return this.#send(jobs);
    this.#waiting.push(...jobs);
    return new Promise((resolve) => this.#whenBack.push(resolve));
  }

  async #sendWith(jobs: readonly HeldJob[]): Promise<void> {
    const all = [...this.#waiting, ...jobs];
    const whenBack = this.#whenBack;
    this.#waiting = [];
    this.#whenBack = [];
    await this.#send(all);
    for (const resolve of whenBack) resolve();
  }
}
