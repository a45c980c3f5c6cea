import type { Listener, News } from './dialects/dialect.js';
import type { Session } from './session.js';

/** Longer timers overflow in Node and fire at once. */
const longestTimerMs = 2 ** 31 - 1;

interface Wait {
  readonly queues: readonly string[];
  /** True once something changed during a look. */
  isStale: boolean;
  wake: () => void;
}

/**
 * The calls that wait for jobs of a database that tells of changes. One listener serves all of them, from the
 * first call on. What it misses (it is cut off, a pooler swallows it) costs time and no more: every wait looks
 * for itself when it begins, and ends after its longest wait.
 */
export class Waits<Connection> {
  readonly #session: Session<Connection>;
  readonly #news: News<Connection>;
  readonly #waiting = new Set<Wait>();
  #listener: Promise<Listener> | undefined;
  #heardAtMs = performance.now();
  #isClosed = false;

  constructor(session: Session<Connection>, news: News<Connection>) {
    this.#session = session;
    this.#news = news;
  }

  /** The connector's `waitForJob`. */
  async forJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const lastMs = performance.now() + maxWaitMs;
    const wait = newWait(queues);
    this.#waiting.add(wait);
    try {
      while (!signal.aborted) {
        // Before the look, so that nothing falls between the two.
        await this.#whenListening();
        wait.isStale = false;
        const dueMs = await this.#session.run((connection) => this.#news.msUntilDue(connection, queues));
        const leftMs = Math.min(dueMs, lastMs - performance.now());
        if (leftMs <= 0) return;
        if (!wait.isStale) await asleep(wait, Math.min(leftMs, this.#msUntilLook()), signal);
        if (this.#isClosed || performance.now() >= lastMs) return;
      }
    } finally {
      this.#waiting.delete(wait);
    }
  }

  /** Ends the waits, and what listens. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wait of this.#waiting) wait.wake();
    const listener = await this.#listener?.catch(() => undefined);
    await listener?.end();
  }

  #whenListening(): Promise<unknown> {
    this.#listener ??= this.#listen().catch((error: unknown) => {
      // So that the next wait tries anew.
      this.#listener = undefined;
      throw error;
    });
    return this.#listener;
  }

  async #listen(): Promise<Listener> {
    // So that the database is there to be listened to, and not closed.
    await this.#session.run(() => {});
    const onChange = (queue?: string): void => {
      this.#heardAtMs = performance.now();
      for (const wait of this.#waiting) if (queue === undefined || wait.queues.includes(queue)) wait.wake();
    };
    const onEnd = (): void => {
      this.#listener = undefined;
      for (const wait of this.#waiting) wait.wake();
    };
    return await this.#news.listen(() => this.#session.openAlone(), onChange, onEnd);
  }

  #msUntilLook(): number {
    return this.#news.lookAgainMs?.(performance.now() - this.#heardAtMs) ?? Number.POSITIVE_INFINITY;
  }
}

function newWait(queues: readonly string[]): Wait {
  const wait: Wait = {
    queues,
    isStale: false,
    wake: () => {
      wait.isStale = true;
    },
  };
  return wait;
}

/** Resolves when the wait is woken, when the time is over, and on abort; leaves no timer or listener. */
function asleep(wait: Wait, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const whenAwake = wait.wake;
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      wait.wake = whenAwake;
      resolve();
    };
    const timer = setTimeout(wake, Math.min(Math.ceil(ms), longestTimerMs));
    signal.addEventListener('abort', wake);
    wait.wake = wake;
    if (signal.aborted) wake();
  });
}
