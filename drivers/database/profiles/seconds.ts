/** The times of one verb on PHP's tables, whose columns hold whole seconds. */
export class Seconds {
  readonly #nowMs: number;
  readonly #retryAfter: number;

  /**
   * @param nowMs by the clock that rules delays and leases.
   * @param retryAfterMs how long a reservation lasts for all that share the table; whole seconds.
   */
  constructor(nowMs: number, retryAfterMs: number) {
    this.#nowMs = nowMs;
    this.#retryAfter = retryAfterMs / 1000;
  }

  get now(): number {
    return Math.floor(this.#nowMs / 1000);
  }

  /** Reservations that count from this second or an earlier one have lapsed. */
  get lapsedBefore(): number {
    return this.now - this.#retryAfter;
  }

  /** The second in which what waits so long is due: never early. */
  after(delayMs: number): number {
    return delayMs > 0 ? this.at(this.#nowMs + delayMs) : this.now;
  }

  /** The second of a point in time: never early, and now for what is past. */
  at(ms: number): number {
    return ms > this.#nowMs ? Math.ceil(ms / 1000) : this.now;
  }

  /**
   * The second from which a reservation must count to end when the lease does, never early. Everybody adds
   * retry_after to it; for a lease of that length it is now, and for a longer one it is ahead.
   */
  sinceFor(leaseMs: number): number {
    return Math.ceil((this.#nowMs + leaseMs) / 1000) - this.#retryAfter;
  }
}
