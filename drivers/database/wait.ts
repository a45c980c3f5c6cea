/** Longer timers overflow in Node and fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** One call that waits for jobs of some queues. */
export class Wait {
  readonly queues: readonly string[];
  /** The queue that it was told of, or '' for any, and has not looked at since. */
  told: string | undefined;
  #whenWoken: (() => void) | undefined;

  constructor(queues: readonly string[]) {
    this.queues = queues;
  }

  /** True while nothing but a wake or the time ends the sleep. */
  get isAsleep(): boolean {
    return this.#whenWoken !== undefined;
  }

  /** Something changed: a sleep ends, and one that would begin before the next look does not. */
  tell(queue = ''): void {
    this.told = queue;
    this.wake();
  }

  /** Ends the sleep, if any. */
  wake(): void {
    this.#whenWoken?.();
  }

  /** Resolves when it is woken, when the time is over, and on abort; leaves no timer or listener. */
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.told !== undefined || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#whenWoken = undefined;
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.ceil(ms), longestTimerMs));
      signal.addEventListener('abort', wake);
      this.#whenWoken = wake;
    });
  }
}
