import type { Controls, Halt } from './controls.js';
import type { WorkerNews } from './worker-news.js';

/** What {@link Halts} work with. */
export interface HaltsOptions {
  /** All that the worker serves. */
  readonly queues: readonly string[];
  readonly controls: Pick<Controls, 'halt' | 'open'>;
  readonly news: Pick<WorkerNews, 'halted'>;
  /** Called when it may take jobs of other queues than before, ahead of who is told. */
  onChange(): void;
}

/** Why a worker takes no jobs of some of its queues, or of none: it was paused itself, or what all workers read says so. */
export class Halts {
  readonly #options: HaltsOptions;
  readonly #listeners = new Set<(halt: Halt) => void>();
  #isPaused = false;

  constructor(options: HaltsOptions) {
    this.#options = options;
  }

  /** Whether the worker was paused itself. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether it takes jobs of none of its queues. */
  get isTotal(): boolean {
    return this.#isPaused || this.#options.controls.open.length === 0;
  }

  /** Pauses the worker itself, or ends that. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#changed();
  }

  /** What all workers read says something else. */
  heard(): void {
    this.#changed();
    for (const listener of this.#listeners) listener(this.#options.controls.halt);
  }

  /** Calls `listener` whenever something else was heard; the function returned takes it off again. */
  onHeard(listener: (halt: Halt) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    const { queues, controls, news, onChange } = this.#options;
    onChange();
    const { maintenance } = controls.halt;
    news.halted(this.#isPaused ? { paused: queues, maintenance } : controls.halt);
  }
}
