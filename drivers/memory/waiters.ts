import { monotonicMs } from '../../src/index.js';

/** Longer timers overflow in Node and fire at once. */
const longestTimerMs = 2 ** 31 - 1;

interface Waiter {
  readonly queues: readonly string[];
  look(): void;
  wake(): void;
}

/** What a call waits for, and for how long at most. */
export interface WaitOptions {
  readonly queues: readonly string[];
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
  /** How long until a job may be due in one of the queues: 0 or less is now, Infinity is not in sight. */
  msUntilDue(): number;
}

/** The calls that wait for a job to become due. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Resolves when a job may be due, after the longest wait, or on abort; leaves no timer or listener. */
  wait({ queues, maxWaitMs, signal, msUntilDue }: WaitOptions): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const lastMs = monotonicMs() + maxWaitMs;
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(waiter);
        resolve();
      };
      const look = (): void => {
        clearTimeout(timer);
        const leftMs = Math.min(msUntilDue(), lastMs - monotonicMs());
        if (leftMs <= 0) wake();
        else timer = setTimeout(look, Math.min(Math.ceil(leftMs), longestTimerMs));
      };
      const waiter: Waiter = { queues, look, wake };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', wake);
      look();
    });
  }

  /** Something changed in this queue: its next job may be due now, or sooner than it was. */
  changed(queue: string): void {
    for (const waiter of this.#waiting) if (waiter.queues.includes(queue)) waiter.look();
  }

  wakeAll(): void {
    for (const waiter of this.#waiting) waiter.wake();
  }
}
