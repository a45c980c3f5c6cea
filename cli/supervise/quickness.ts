/** What is announced shall take no longer, as far as can be told; after twice that it counts no more, whatever came. */
const aheadMs = 0.5;
/** So many jobs are announced at most. */
const most = 64;

/**
 * Whether handlers are so quick that several starts go into one frame of the journal: they end within the turn of the
 * event loop in which they start, and many of them within half a millisecond.
 */
export class Quickness {
  /** How many may be announced. */
  #ahead = 0;
  /** When the job started that the last frame came after, or else the first of this turn; 0 before it. */
  #fromMs = 0;
  #lastMs = 0;
  /** From the one to the other, without the first. */
  #starts = 0;
  #askedMs = 0;

  started(atMs: number): void {
    if (this.#fromMs === 0) this.#fromMs = atMs;
    else this.#starts += 1;
    this.#lastMs = atMs;
  }

  /** There will be a frame now. Answers how many jobs it may announce. */
  asked(nowMs: number): number {
    if (this.#starts > 0) {
      const eachMs = (nowMs - this.#fromMs) / this.#starts;
      this.#ahead = Math.min(most, Math.floor(aheadMs / eachMs));
      this.#fromMs = this.#lastMs;
      this.#starts = 0;
    }
    this.#askedMs = nowMs;
    return this.#ahead;
  }

  /** Whether announced jobs may still start: not after a slow one, as a watchdog has written down who runs then. */
  lasts(atMs: number): boolean {
    return atMs - this.#askedMs <= 2 * aheadMs;
  }

  /** @param running handlers that go on after it. */
  turnEnds(running: number): void {
    this.#fromMs = 0;
    this.#starts = 0;
    if (running > 0) this.#ahead = 0;
  }
}
