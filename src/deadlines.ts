import { Bag } from './bag.js';
import { monotonicMs } from './monotonic.js';
import { PatientTimer } from './patient-timer.js';

interface Wait {
  readonly untilMs: number;
  /** How long it was given, as of a {@link PatientTimer}. */
  readonly ms: number;
  /** Its place among those under way; -1 while it is not. */
  place: number;
  end(): void;
}

/** What is done about a command that does not simply succeed. */
export interface DeadlineOptions<T> {
  /** Called when the time is over; answers what to reject with. Must not throw. */
  late(): unknown;
  /**
   * Called with the error; goes on with the command, for as long as its time lasts, or rejects with what is said of it.
   * Must not throw. Default: the error is what is said.
   */
  failed?(error: unknown): Promise<T>;
}

/**
 * Deadlines of commands: one timer for all that are under way, as a timer of its own costs a command more than
 * the rest of its bookkeeping. It keeps no process alive; the connection that an answer must come over does.
 */
export class Deadlines {
  readonly #waits = new Bag<'place', Wait>('place');
  #timer: PatientTimer | undefined;
  #timerMs = 0;
  #idle: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** The promise's result, or what is made of its error or its lateness. What comes once the time is over is dropped. */
  within<T>(promise: Promise<T>, ms: number, options: DeadlineOptions<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const untilMs = monotonicMs() + ms;
      const wait: Wait = { untilMs, ms, place: -1, end: () => reject(options.late()) };
      this.#waits.add(wait);
      if (this.#timer === undefined || untilMs < this.#timerMs) this.#arm(wait, ms);
      const done = (value: T): void => {
        this.#over(wait);
        resolve(value);
      };
      const notDone = (error: unknown): void => {
        this.#over(wait);
        reject(error);
      };
      if (options.failed === undefined) promise.then(done, notDone);
      else promise.then(done, (error: unknown) => options.failed?.(error).then(done, notDone));
    });
  }

  /** Resolves once no command is under way. */
  whenIdle(): Promise<void> {
    if (this.#waits.size === 0) return Promise.resolve();
    if (this.#idle === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((resolved) => {
        resolve = resolved;
      });
      this.#idle = { promise, resolve };
    }
    return this.#idle.promise;
  }

  #over(wait: Wait): void {
    if (!this.#waits.delete(wait) || this.#waits.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** For the wait that ends first. */
  #arm({ untilMs, ms: patienceMs }: Wait, leftMs: number): void {
    this.#timer?.clear();
    this.#timerMs = untilMs;
    const options = { keepsAlive: false, patienceMs };
    this.#timer = new PatientTimer(leftMs, () => this.#endOverdue(), options);
  }

  #endOverdue(): void {
    this.#timer = undefined;
    const now = monotonicMs();
    let next: Wait | undefined;
    for (const wait of [...this.#waits.items]) {
      if (wait.untilMs > now) {
        if (next === undefined || wait.untilMs < next.untilMs) next = wait;
        continue;
      }
      this.#over(wait);
      wait.end();
    }
    if (next !== undefined) this.#arm(next, next.untilMs - now);
  }
}
