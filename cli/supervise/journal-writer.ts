import { Bag } from '../../src/bag.js';
import type { ReservedJob } from '../../src/index.js';
import { journalStart } from './board.js';
import { Frame } from './frame.js';
import { marks, putReserved, putStart } from './journal-entries.js';
import { monotonicMs } from './monotonic.js';

/** A journal begins again when it has grown by so many bytes. */
const longest = 1_048_576;

/** A job of this process, and all that was written of it. */
export class Entry {
  readonly reserved: ReservedJob;
  readonly n: number;
  /** -1 until its handler starts. */
  slot = -1;
  name = '';
  atMs = 0;
  timeoutMs = 0;
  /** What came after its start: done or settled, or 0. */
  mark = 0;
  /** Its place among the entries that have not ended. */
  place = -1;

  constructor(reserved: ReservedJob, n: number) {
    this.reserved = reserved;
    this.n = n;
  }
}

/** Where nothing is under way. */
const now = Promise.resolve();

/**
 * Writes the journal of this process. What one run of microtasks brings travels in one write, which is made before
 * a handler of that run starts; a write to a file waits for no reader.
 */
export class JournalWriter {
  readonly #fd: number;
  readonly #oneByOne: boolean;
  readonly #onError: (error: unknown) => void;
  readonly #entries = new Bag<'place', Entry>('place');
  readonly #frame = new Frame();
  readonly #write = () => {
    this.#soon = false;
    this.flush();
  };
  readonly #writeAtLast = () => {
    this.#later = false;
    this.flush();
  };
  #last = 0;
  #position = journalStart;
  #generation = 0;
  #frames = 0;
  #nextCheckpoint = 0;
  #soon = false;
  #later = false;

  /**
   * @param oneByOne whether one handler runs at a time: nothing comes together with its start then.
   * @param onError told of a write that failed; what it held is not on record then.
   */
  constructor(fd: number, oneByOne: boolean, onError: (error: unknown) => void) {
    this.#fd = fd;
    this.#oneByOne = oneByOne;
    this.#onError = onError;
  }

  /** Puts jobs on record that this process holds from now on; numbered on from the last. */
  reserved(jobs: readonly ReservedJob[]): Entry[] {
    const first = this.#last + 1;
    const entries = jobs.map((job) => new Entry(job, ++this.#last));
    for (const entry of entries) this.#entries.add(entry);
    putReserved(this.#frame, first, jobs);
    this.#writeSoon();
    return entries;
  }

  started(entry: Entry, slot: number, name: string, timeoutMs: number): void {
    entry.slot = slot;
    entry.name = name;
    entry.atMs = monotonicMs();
    entry.timeoutMs = timeoutMs;
    putStart(this.#frame, entry.n, entry, entry.reserved.body);
    if (this.#oneByOne) this.flush();
    else this.#writeSoon();
  }

  done(entry: Entry): void {
    this.#mark(entry, marks.done);
  }

  settled(entry: Entry): void {
    this.#mark(entry, marks.settled);
  }

  ended(entry: Entry): void {
    this.#entries.delete(entry);
    this.#frame.entry(marks.ended, entry.n);
    this.#writeLater();
  }

  /** Writes what is not written yet. */
  flush(): void {
    if (this.#frame.isEmpty) return;
    const isCheckpoint = this.#position >= this.#nextCheckpoint;
    if (isCheckpoint) this.#beginAgain();
    try {
      this.#position += this.#frame.writeTo(this.#fd, this.#position, this.#generation, this.#frames++);
      if (isCheckpoint) this.#nextCheckpoint = this.#position + longest;
    } catch (error) {
      this.#nextCheckpoint = 0; // the frames that follow would not be read
      this.#onError(error);
    }
    this.#frame.clear();
  }

  #mark(entry: Entry, mark: number): void {
    entry.mark = mark;
    this.#frame.entry(mark, entry.n);
    this.#writeLater();
  }

  /** Before the microtasks that are queued after this call: the handlers of this run of microtasks. */
  #writeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    void now.then(this.#write); // half a microsecond less than queueMicrotask, which keeps books on its callbacks
  }

  /** With the next start, or at the end of the turn. */
  #writeLater(): void {
    if (this.#later) return;
    this.#later = true;
    setImmediate(this.#writeAtLast);
  }

  #beginAgain(): void {
    this.#generation += 1;
    this.#frames = 0;
    this.#position = journalStart;
    this.#frame.clear();
    for (const entry of this.#entries.items) {
      putReserved(this.#frame, entry.n, [entry.reserved]);
      if (entry.slot !== -1) putStart(this.#frame, entry.n, entry, entry.reserved.body);
      if (entry.mark !== 0) this.#frame.entry(entry.mark, entry.n);
    }
  }
}
