const mostSightings = 10_000;

/**
 * When a worker first saw jobs whose payloads do not say since when they wait. Bounded: while it is full, further
 * jobs count as new each time that they come, until those that it knows have ended.
 */
export class Sightings {
  /** Those seen last stand last. */
  readonly #seen = new Map<string, { readonly firstMs: number; readonly lastMs: number }>();

  /**
   * How long ago this job was first seen.
   *
   * @param forgetMs one that was not seen for so long is a new one: it was put back since, or was with others.
   */
  sinceFirstMs(queue: string, id: string, nowMs: number, forgetMs: number): number {
    const key = `${queue} ${id}`;
    this.#forgetOldest(nowMs - forgetMs);
    const known = this.#seen.get(key);
    const firstMs = known?.firstMs ?? nowMs;
    this.#seen.delete(key);
    if (this.#seen.size < mostSightings) this.#seen.set(key, { firstMs, lastMs: nowMs });
    return Math.max(0, nowMs - firstMs);
  }

  /** Forgets a job that has ended. */
  forget(queue: string, id: string): void {
    this.#seen.delete(`${queue} ${id}`);
  }

  #forgetOldest(beforeMs: number): void {
    for (const [key, { lastMs }] of this.#seen) {
      if (lastMs >= beforeMs) return;
      this.#seen.delete(key);
    }
  }
}
