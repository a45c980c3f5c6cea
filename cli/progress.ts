import { monotonicMs } from '../src/monotonic.js';
import type { Io, TextSink } from './io.js';

/** How often the line is drawn anew at most. */
const drawEveryMs = 100;

/**
 * A line on stderr that counts up while something long goes on: at a terminal only, and only once it has taken a
 * while. How many there are to come is not known: they are read page by page.
 */
export class Progress {
  readonly #sink: TextSink;
  readonly #what: string;
  readonly #now: () => number;
  #count = 0;
  #drawnMs: number;
  #isShown = false;

  /** @param what follows the count. */
  constructor(io: Pick<Io, 'stderr'>, what: string, now = monotonicMs) {
    this.#sink = io.stderr;
    this.#what = what;
    this.#now = now;
    this.#drawnMs = now();
  }

  /** Counts one more. */
  step(): void {
    this.#count += 1;
    const now = this.#now();
    if (this.#sink.isTTY !== true || now - this.#drawnMs < drawEveryMs) return;
    this.#drawnMs = now;
    this.#isShown = true;
    this.#sink.write(`\r${this.#count} ${this.#what} …`);
  }

  /** Takes the line away: before something else is printed, and at the end. */
  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#sink.write('\r\x1b[K');
  }
}
