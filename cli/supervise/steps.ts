/** Where in the state each of its numbers is. */
const places = { count: 0, serial: 1, isWatched: 2 } as const;
const headBytes = 16;
/** So many numbers are gathered at most. */
const capacity = 4096;
/** A thread that takes no step for so long, in ms, has none left that it may take without a frame. */
const stillMs = 10;
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
 * The thread that works uses no atomic operations, which cost it more than the rest: the watchdog is in no hurry.
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

  /** Adds a number; the watchdog sees it from the next {@link addStart} on. */
  add(number: number): void {
    this.#numbers[this.#count++] = number;
  }

  /** Adds the numbers of a start, and lets the watchdog see all steps. */
  addStart(entry: number, slot: number, atMs: number, timeoutMs: number, name: number): void {
    const numbers = this.#numbers;
    const at = this.#count;
    numbers[at] = entry;
    numbers[at + 1] = slot;
    numbers[at + 2] = atMs;
    numbers[at + 3] = timeoutMs;
    numbers[at + 4] = name;
    this.#count = at + largestStep;
    this.#state[places.count] = at + largestStep;
  }

  /** The steps, for a frame. Valid until the next is added. */
  get numbers(): Float64Array {
    return this.#numbers.subarray(0, this.#count);
  }

  /** The steps are written: those that follow are for the frame of this serial. */
  begin(serial: number): void {
    this.#count = 0;
    this.#state[places.count] = 0;
    this.#state[places.serial] = serial;
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

  /** For the watchdog: the steps of a thread that is blocked. Undefined where it goes on. */
  takeStill(): UnwrittenSteps | undefined {
    const { version } = this;
    const serial = this.#load(places.serial);
    Atomics.wait(this.#state, places.serial, serial, stillMs); // nobody wakes it
    const numbers = this.#numbers.slice(0, this.#load(places.count));
    return this.version === version ? { serial: serial >>> 0, numbers } : undefined;
  }

  #load(place: number): number {
    return Atomics.load(this.#state, place);
  }
}
