/** What is called in a round, and goes on after it. */
export interface Starter {
  /** Calls the handler. Must not throw. */
  call(): void;
  /** Goes on with what the handler returned or threw. Must not throw. */
  goOn(): void;
}

/** Where nothing is under way. */
const now = Promise.resolve();

/**
 * Calls handlers that are ready in rounds: those of one round first, each in a microtask of its own, so that what one
 * sets in an `AsyncLocalStorage` is no other's; then goes on with all of them, which may make the next round. What is
 * queued while a round gathers (such as a write that puts all its starts on record) is done before its first handler.
 */
export class Rounds {
  readonly #start = () => this.#callAll();
  readonly #callNext = () => this.#called[this.#calls++]?.call();
  readonly #end = () => this.#goOnWithAll();
  #gathered: Starter[] = [];
  #round = now;
  #called: Starter[] = [];
  #calls = 0;

  add(one: Starter): void {
    if (this.#gathered.push(one) === 1) this.#round = now.then(this.#start);
  }

  /** Resolves when all that were added have been called. */
  get called(): Promise<void> {
    return this.#round;
  }

  #callAll(): void {
    this.#called = this.#gathered;
    this.#gathered = [];
    this.#calls = 0;
    for (let left = this.#called.length; left > 0; left--) void now.then(this.#callNext);
    void now.then(this.#end); // before the next round starts
  }

  #goOnWithAll(): void {
    const called = this.#called;
    this.#called = []; // of their jobs nothing shall stay until the next round
    for (const one of called) one.goOn();
  }
}
