import type { Beat, BeatEntry } from '../../src/index.js';

/** The last beat of each worker, while it holds. */
export class LiveWorkers {
  readonly #beats = new Map<string, { readonly about: string; readonly untilMs: number }>();

  beat({ id, about, keepMs }: Beat, nowMs: number): void {
    this.#beats.set(id, { about, untilMs: nowMs + keepMs });
    this.#prune(nowMs);
  }

  list(nowMs: number): BeatEntry[] {
    this.#prune(nowMs);
    return [...this.#beats].map(([id, { about, untilMs }]) => ({ id, about, leftMs: untilMs - nowMs }));
  }

  leave(id: string): void {
    this.#beats.delete(id);
  }

  #prune(nowMs: number): void {
    for (const [id, { untilMs }] of this.#beats) if (untilMs <= nowMs) this.#beats.delete(id);
  }
}
