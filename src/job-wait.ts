import type { Bell } from './bell.js';
import type { Connector } from './connector.js';

/** The first wait between two looks at an idle store that cannot wake the worker; it doubles. */
export const shortestLookMs = 10;

/** Waits for jobs, one wait at a time: as the store wakes the worker, or from look to look where it cannot. */
export class JobWait {
  readonly #connector: Connector;
  readonly #bell: Bell;
  #waiting: AbortController | undefined;

  /** @param bell ends a wait when it rings. */
  constructor(connector: Connector, bell: Bell) {
    this.#connector = connector;
    this.#bell = bell;
  }

  /**
   * Resolves when it makes sense to look for jobs, at the latest after `mostMs`; true where nothing is due at this
   * moment, as far as the store says so.
   *
   * @param looks how many have found nothing in a row, from 1.
   */
  async wait(queues: readonly string[], looks: number, mostMs: number): Promise<boolean> {
    const limitMs = Math.max(mostMs, 1); // a turn of the event loop at least
    if (!this.#connector.waitForJob) {
      await this.#bell.wait(Math.min(shortestLookMs * 2 ** Math.min(looks - 1, 20), limitMs));
      return false;
    }
    const waiting = new AbortController();
    this.#waiting = waiting;
    let isOver = false;
    // An abort that nobody hears would cost a woken worker more than all the rest of its waking.
    void this.#bell.wait().then(() => isOver || waiting.abort());
    try {
      const outcome = await this.#connector.waitForJob(queues, limitMs, waiting.signal);
      return outcome === 'nothing-due' && !waiting.signal.aborted;
    } finally {
      isOver = true;
      this.#bell.ring(); // lets go of the waiter above
      this.#waiting = undefined;
    }
  }

  /** Ends the wait that is under way. */
  end(): void {
    this.#waiting?.abort();
  }
}
