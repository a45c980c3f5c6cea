import { monotonicMs, QueueError } from '../../src/index.js';
import type { Client } from '../redis/client.js';
import { Ear } from '../redis/ear.js';
import type { Keys } from './keys.js';

/** Who waits looks this often, as webman's consumers do: delayed packages of all queues are due at whole seconds. */
const longestWaitMs = 1000;

/** What a {@link Wait} needs of its connector. */
export interface WaitOptions {
  readonly keys: Keys;
  /** Makes a connection for commands that block it. */
  open(key: string): Promise<Client>;
  onError(error: unknown): void;
}

/**
 * Waits for jobs, for all the workers of one connector: in a `BLMOVE` of a list's next package onto its own place,
 * which takes nothing from the consumers of PHP that wait beside it.
 */
export class Wait {
  readonly #options: WaitOptions;
  readonly #sleepers = new Set<{ readonly queues: readonly string[]; wake(): void }>();
  readonly #ears = new Map<string, Ear>();
  #isClosed = false;
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: WaitOptions) {
    this.#options = options;
  }

  /** Takes ms until the next package or lease of any queue is due, as a reserve has seen it, or -1. */
  looked(dueInMs: number): void {
    this.#dueAtMs = monotonicMs() + (dueInMs < 0 ? longestWaitMs : dueInMs);
  }

  /** The contract's `waitForJob`. */
  async sleep(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#isClosed) throw new QueueError('E_QUEUE_CLOSED', 'the connection is closed');
    const untilDueMs = this.#dueAtMs - monotonicMs();
    // What is due is taken by the next reserve: a look that took nothing since must not wake at once again and again.
    const ms = Math.min(maxWaitMs, longestWaitMs, untilDueMs > 0 ? untilDueMs : longestWaitMs);
    if (signal.aborted || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { queues, wake };
      const timer = setTimeout(wake, Math.ceil(ms));
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
      for (const queue of queues) this.#earOf(queue).listen();
    });
  }

  /** Ends all waits and their connections. */
  close(): void {
    this.#isClosed = true;
    for (const { wake } of this.#sleepers) wake();
    for (const ear of this.#ears.values()) ear.close();
  }

  #earOf(queue: string): Ear {
    const known = this.#ears.get(queue);
    if (known) return known;
    const { keys, open, onError } = this.#options;
    const list = keys.waitingOf(queue);
    const ofQueue = () => [...this.#sleepers].filter(({ queues }) => queues.includes(queue));
    const ear = new Ear({
      open: () => open(list),
      command: ['BLMOVE', list, list, 'RIGHT', 'RIGHT'],
      heard: () => {
        for (const { wake } of ofQueue()) wake();
      },
      isWanted: () => ofQueue().length > 0,
      onError,
    });
    this.#ears.set(queue, ear);
    return ear;
  }
}
