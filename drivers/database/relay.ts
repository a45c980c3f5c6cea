import type { Pool } from './lend.js';

/**
 * A pool of ours that hands a connection on from one task to the next, where that begins in the same turn of the event
 * loop: at once, which the pool's own way is not. So a trip that follows another is on its way before the handlers of
 * the jobs that came with that one, and both go on side by side.
 */
export class Relay<Connection> implements Pool<Connection> {
  readonly #pool: Pool<Connection>;
  #kept: Connection | undefined;
  #waiting = 0;

  /** @param pool nobody else takes connections from it. */
  constructor(pool: Pool<Connection>) {
    this.#pool = pool;
  }

  take(): Connection | Promise<Connection> {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept ?? this.#wait();
  }

  giveBack(connection: Connection, isWell: boolean): unknown {
    // Those who wait for one come first.
    if (!isWell || this.#waiting > 0 || this.#kept !== undefined)
      return this.#pool.giveBack(connection, isWell);
    this.#kept = connection;
    setImmediate(() => this.#letGo());
    return undefined;
  }

  async #wait(): Promise<Connection> {
    this.#waiting += 1;
    try {
      return await this.#pool.take();
    } finally {
      this.#waiting -= 1;
    }
  }

  #letGo(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.#pool.giveBack(kept, true);
  }
}
