/** Changes that follow each other faster are one burst, in ms. */
const burstPauseMs = 100;
/** The distance of looks in a burst that lasts, in ms. */
const longestGapMs = 15;

/** When a file that is written to is worth a look. Times are in ms, of any clock that does not go back. */
export class SqlitePace {
  #burstBeganMs = Number.NEGATIVE_INFINITY;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  /** The file has changed. */
  heard(nowMs: number): void {
    if (nowMs - this.#heardAtMs > burstPauseMs) this.#burstBeganMs = nowMs;
    this.#heardAtMs = nowMs;
  }

  /**
   * A commit writes first and can be seen a moment later, once the disk has it. So looks follow each change, at
   * doubling distances; they are also what remains where files cannot be watched.
   */
  lookAgainMs(quietMs: number): number {
    return Math.max(quietMs, 1);
  }

  /**
   * After a quiet time a change is looked at as soon as it is heard. Where changes go on coming, most are of other
   * queues: looks then come at growing distances, and in the end one for many changes.
   */
  shortestGapMs(nowMs: number): number {
    if (nowMs - this.#heardAtMs > burstPauseMs) return 0;
    return Math.min(nowMs - this.#burstBeganMs, longestGapMs);
  }
}
