import { Bag } from './bag.js';
import { monotonicMs } from './monotonic.js';

/** The longest time that a timer of Node can wait, in ms. */
const longestMs = 2_147_483_647;

/** What is ended by its timeout, unless it ends before. */
export interface Timed {
  /** When its timeout is over, on the monotonic clock. */
  dueMs: number;
  /** Its place among those under way; -1 while it is not. */
  timedPlace: number;
  /** Its timeout is over. */
  timedOut(): void;
}

/**
 * The timeouts of all handlers of a worker, with one timer: the earliest is waited for. What ends within the turn of
 * the event loop that it began in never sees a timer.
 */
export class Timeouts {
  readonly #underWay = new Bag<'timedPlace', Timed>('timedPlace');
  readonly #onTimer = () => this.#look();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer ends. */
  #timerMs = Number.POSITIVE_INFINITY;
  #looksSoon = false;

  add(one: Timed, timeoutMs: number): void {
    one.dueMs = monotonicMs() + timeoutMs;
    this.#underWay.add(one);
    if (this.#looksSoon || one.dueMs >= this.#timerMs) return;
    this.#looksSoon = true;
    setImmediate(() => {
      this.#looksSoon = false;
      this.#look();
    });
  }

  delete(one: Timed): void {
    // A timer that nothing waits for would keep the process.
    if (this.#underWay.delete(one) && this.#underWay.size === 0) this.#stopTimer();
  }

  #look(): void {
    this.#stopTimer();
    const now = monotonicMs();
    let earliest = Number.POSITIVE_INFINITY;
    for (const one of [...this.#underWay.items]) {
      if (one.dueMs > now) earliest = Math.min(earliest, one.dueMs);
      else if (this.#underWay.delete(one)) one.timedOut();
    }
    if (this.#underWay.size > 0) this.#startTimer(earliest, now);
  }

  #startTimer(dueMs: number, now: number): void {
    this.#timerMs = dueMs;
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.ceil(dueMs - now), longestMs));
  }

  #stopTimer(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }
}
