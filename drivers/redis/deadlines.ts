interface Wait {
  readonly untilMs: number;
  end(): void;
}

/**
 * Deadlines of commands: one timer for all that are under way, as a timer of its own costs a command more than
 * the rest of its bookkeeping. It keeps no process alive; the connection that an answer must come over does.
 */
export class Deadlines {
  readonly #waits = new Set<Wait>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;

  /**
   * The promise's result, or the error of `late` once the time is over. What comes after that is dropped.
   *
   * @param late is called when the time is over, and answers what to reject with.
   */
  within<T>(promise: Promise<T>, ms: number, late: () => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = { untilMs: performance.now() + ms, end: () => reject(late()) };
      this.#waits.add(wait);
      if (this.#timer === undefined || wait.untilMs < this.#timerMs) this.#arm(wait.untilMs, ms);
      promise.then(
        (value) => {
          this.#waits.delete(wait);
          resolve(value);
        },
        (error: unknown) => {
          this.#waits.delete(wait);
          reject(error);
        },
      );
    });
  }

  #arm(untilMs: number, ms: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = untilMs;
    this.#timer = setTimeout(() => this.#endOverdue(), Math.ceil(ms));
    this.#timer.unref();
  }

  #endOverdue(): void {
    this.#timer = undefined;
    const now = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const wait of this.#waits) {
      if (wait.untilMs > now) {
        nextMs = Math.min(nextMs, wait.untilMs);
        continue;
      }
      this.#waits.delete(wait);
      wait.end();
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs, nextMs - now);
  }
}
