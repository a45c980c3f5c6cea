/** Where in the state each of its numbers is. */
const places = { count: 0, serial: 1, isOpen: 2, isWatched: 3 } as const;
const headBytes = 16;
/** So many numbers are gathered at most. */
const capacity = 4096;
/** Long enough for the thread that works to see what the watchdog wrote, and the other way round, in ms. */
const seenMs = 10;
/** A start takes so many, other steps take fewer. */
const largestStep = 5;

/** The steps that were not written when a watchdog asked, as it writes them. */
export interface UnwrittenSteps {
  /** Of the frame that shall have them. */
  readonly serial: number;
  readonly numbers: Float64Array;
}

/**
 * What the jobs of this process did since the last frame of the journal, in memory that the watchdog reads too: it
 * writes it to the board where the thread that works is blocked. What is not written is lost with the process.
 *
 * While they are **open**, jobs may start that the last frame has announced without a frame of their own.
 *
 * The thread that works uses no atomic operations, which cost it more than the rest: the watchdog, which is in no hurry,
 * waits until each has seen what the other wrote.
 */
export class Steps {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #numbers: Float64Array;
  #count = 0;

  /** @param memory of the thread that works, for its watchdog. */
  constructor(memory = new SharedArrayBuffer(headBytes + capacity * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#state = new Int32Array(memory, 0, headBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#numbers = new Float64Array(memory, headBytes);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count + largestStep > capacity;
  }

  /** Adds a number; the watchdog sees it from the next {@link publish} on. */
  add(number: number): void {
    this.#numbers[this.#count++] = number;
  }

  /** Lets the watchdog see all steps. Answers whether announced jobs may still start without a frame of their own. */
  publish(): boolean {
    this.#state[places.count] = this.#count;
    return this.#state[places.isOpen] === 1;
  }

  /** The steps, for a frame. Valid until the next is added. */
  get numbers(): Float64Array {
    return this.#numbers.subarray(0, this.#count);
  }

  /** The steps are written: those that follow are for the frame of this serial. */
  begin(serial: number, isOpen: boolean): void {
    this.#count = 0;
    this.#state[places.count] = 0;
    this.#state[places.serial] = serial;
    this.#state[places.isOpen] = isOpen ? 1 : 0;
  }

  /** Whether a watchdog looks at them; without one nothing may be announced. */
  get isWatched(): boolean {
    return this.#state[places.isWatched] === 1;
  }

  set isWatched(isIt: boolean) {
    Atomics.store(this.#state, places.isWatched, isIt ? 1 : 0);
  }

  /** For the watchdog: another number whenever there are other steps. */
  get version(): number {
    return this.#load(places.serial) * (capacity + 1) + this.#load(places.count);
  }

  /**
   * For the watchdog: closes the steps, so that the next start has a frame of its own, and answers those there are.
   * Undefined where the thread that works goes on meanwhile.
   */
  close(): UnwrittenSteps | undefined {
    const serial = this.#load(places.serial);
    Atomics.store(this.#state, places.isOpen, 0);
    Atomics.wait(this.#state, places.isOpen, 0, seenMs); // nobody wakes it
    const numbers = this.#numbers.slice(0, this.#load(places.count));
    const isStill = this.#load(places.serial) === serial && this.#load(places.isOpen) === 0;
    return isStill ? { serial: serial >>> 0, numbers } : undefined;
  }

  #load(place: number): number {
    return Atomics.load(this.#state, place);
  }
}
