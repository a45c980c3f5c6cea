import { monotonicMs } from './monotonic.js';
import { PatientTimer } from './patient-timer.js';

interface Wait {
  readonly untilMs: number;
  /** Where it stands among those under way; -1 once it is over. */
  place: number;
  end(): void;
}

/** What is done about a command that does not simply succeed. */
export interface Trouble<T> {
  /** Called when the time is over; answers what to reject with. */
  late(): unknown;
  /** Called with the error; goes on with the command, or rejects with what is said of it. */
  failed(error: unknown): Promise<T>;
}

/**
 * Deadlines of commands: one timer for all that are under way, as a timer of its own costs a command more than
 * the rest of its bookkeeping. It keeps no process alive; the connection that an answer must come over does.
 */
export class Deadlines {
  /** An array: a set makes itself anew every few commands, which costs more than all else here. */
  readonly #waits: Wait[] = [];
  #timer: PatientTimer | undefined;
  #timerMs = 0;
  #onIdle: (() => void) | undefined;

  /** The promise's result, or what `trouble` makes of it. What comes once the time is over is dropped. */
  within<T>(promise: Promise<T>, ms: number, trouble: Trouble<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const untilMs = monotonicMs() + ms;
      const wait: Wait = { untilMs, place: this.#waits.length, end: () => reject(trouble.late()) };
      this.#waits.push(wait);
      if (this.#timer === undefined || untilMs < this.#timerMs) this.#arm(untilMs, ms);
      const done = (value: T): void => {
        this.#over(wait);
        resolve(value);
      };
      promise.then(done, (error: unknown) =>
        trouble.failed(error).then(done, (last: unknown) => {
          this.#over(wait);
          reject(last);
        }),
      );
    });
  }

  /** Resolves once no command is under way. */
  whenIdle(): Promise<void> {
    if (this.#waits.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #over(wait: Wait): void {
    const { place } = wait;
    if (place < 0) return;
    wait.place = -1;
    const last = this.#waits.pop() as Wait;
    if (last !== wait) {
      this.#waits[place] = last;
      last.place = place;
    }
    if (this.#waits.length === 0) this.#onIdle?.();
  }

  #arm(untilMs: number, ms: number): void {
    this.#timer?.clear();
    this.#timerMs = untilMs;
    this.#timer = new PatientTimer(ms, () => this.#endOverdue(), { keepsAlive: false });
  }

  #endOverdue(): void {
    this.#timer = undefined;
    const now = monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const wait of [...this.#waits]) {
      if (wait.untilMs > now) {
        nextMs = Math.min(nextMs, wait.untilMs);
        continue;
      }
      this.#over(wait);
      wait.end();
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs, nextMs - now);
  }
}
