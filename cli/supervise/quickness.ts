/** What is announced shall take no longer, as far as can be told; after twice that it counts no more, whatever came. */
const aheadMs = 0.5;
/** So many jobs are announced at most. */
const most = 32;

/**
 * Whether handlers are so quick that several starts go into one frame of the journal: they end within the turn of the
 * event loop in which they start, and many of them within half a millisecond.
 */
export class Quickness {
  /** How many may be announced. */
  #ahead = 0;
  #starts = 0;
  /** When the last frame was asked for by a start, in this turn; 0 where none was. */
  #askedMs = 0;

  started(): void {
    this.#starts += 1;
  }

  /** A start asks for a frame. Answers how many jobs that frame may announce. */
  asked(atMs: number): number {
    if (this.#askedMs > 0) {
      const eachMs = (atMs - this.#askedMs) / this.#starts;
      this.#ahead = Math.min(most, Math.floor(aheadMs / eachMs));
    }
    this.#askedMs = atMs;
    this.#starts = 0;
    return this.#ahead;
  }

  /** Whether announced jobs may still start: not after a slow one, as a watchdog has written down who runs then. */
  lasts(atMs: number): boolean {
    return atMs - this.#askedMs <= 2 * aheadMs;
  }

  /** @param running handlers that go on after it. */
  turnEnds(running: number): void {
    this.#askedMs = 0;
    this.#starts = 0;
    if (running > 0) this.#ahead = 0;
  }
}
