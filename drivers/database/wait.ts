/** Longer timers overflow in Node and fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** One call that waits for jobs of some queues. */
export class Wait {
  readonly queues: readonly string[];
  #isStale = false;
  /** The queue of a job that it shall see to. */
  #told: string | undefined;
  #whenWoken: (() => void) | undefined;

  constructor(queues: readonly string[]) {
    this.queues = queues;
  }

  /** True when something has changed since the last look began. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** True while nothing but a wake or the time ends the sleep. */
  get isAsleep(): boolean {
    return this.#whenWoken !== undefined;
  }

  /** True when it was given a job to see to. */
  get isTold(): boolean {
    return this.#told !== undefined;
  }

  /** Gives it a job to see to. */
  tell(queue: string): void {
    this.#told = queue;
    this.stir();
  }

  /** The queue of the job that it was given, which somebody else is to see to from now on. */
  takeTold(): string | undefined {
    const told = this.#told;
    this.#told = undefined;
    return told;
  }

  /** A look begins, which sees all that it was told of so far. */
  refresh(): void {
    this.#isStale = false;
    this.#told = undefined;
  }

  /** Something changed: a sleep ends, and one that would begin before the next look does not. */
  stir(): void {
    this.#isStale = true;
    this.#whenWoken?.();
  }

  /** Resolves when it is woken, when the time is over, and on abort; leaves no timer or listener. */
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isStale || signal.aborted) return Promise.resolve();
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
