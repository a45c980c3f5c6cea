/** How many looks may follow each other at once after a quiet time. */
const mostAtOnce = 8;

/** How often one wait may look where it hears of changes that are none of its business. Times are in ms. */
export class LookBudget {
  readonly #everyMs: number;
  #left = mostAtOnce;
  #countedAtMs: number;

  /** @param everyMs the distance of looks in the long run; 0 is none. */
  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#countedAtMs = nowMs;
  }

  /** Takes one look; answers how long to rest before it. */
  take(nowMs: number): number {
    if (this.#everyMs === 0) return 0;
    this.#left = Math.min(this.#left + (nowMs - this.#countedAtMs) / this.#everyMs, mostAtOnce) - 1;
    this.#countedAtMs = nowMs;
    return this.#left < 0 ? -this.#left * this.#everyMs : 0;
  }
}
