import { startTimer } from './timer.js';

/** Slots that stay empty for a while after their jobs. */
export class Rests {
  readonly #restMs: number;
  readonly #onOver: () => void;
  readonly #stops = new Set<() => void>();

  /**
   * @param restMs how long each takes; with 0 none is to be started.
   * @param onOver is called when one is over.
   */
  constructor(restMs: number, onOver: () => void) {
    this.#restMs = restMs;
    this.#onOver = onOver;
  }

  /** How many slots rest. */
  get size(): number {
    return this.#stops.size;
  }

  /** True where slots rest at all. */
  get areTaken(): boolean {
    return this.#restMs > 0;
  }

  start(): void {
    const stop = startTimer(this.#restMs, () => {
      this.#stops.delete(stop);
      this.#onOver();
    });
    this.#stops.add(stop);
  }

  /** Ends those under way, without a call. */
  end(): void {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }
}
