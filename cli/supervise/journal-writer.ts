import type { ReservedJob } from '../../src/index.js';
import { journalStart } from './board.js';
import { Frame } from './frame.js';
import { marks, putReserved, putStart } from './journal-entries.js';
import { monotonicMs } from './monotonic.js';

/** A journal begins again when it has grown by so many bytes. */
const longest = 1_048_576;

/** A job of this process, and all that was written of it. */
class Entry {
  slot = -1;
  name = '';
  atMs = 0;
  timeoutMs = 0;
  /** What came after its start: done or settled, or 0. */
  mark = 0;
  readonly n: number;

  constructor(n: number) {
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
  readonly #entries = new Map<ReservedJob, Entry>();
  readonly #frame = new Frame();
  readonly #write = () => {
    this.#soon = false;
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

  reserved(jobs: readonly ReservedJob[]): void {
    const first = this.#last + 1;
    for (const reserved of jobs) this.#entries.set(reserved, new Entry(++this.#last));
    putReserved(this.#frame, first, jobs);
    this.#writeSoon();
  }

  started(reserved: ReservedJob, slot: number, name: string, timeoutMs: number): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
    entry.slot = slot;
    entry.name = name;
    entry.atMs = monotonicMs();
    entry.timeoutMs = timeoutMs;
    putStart(this.#frame, entry.n, entry, reserved.body);
    if (this.#oneByOne) this.flush();
    else this.#writeSoon();
  }

  /** The slot of a job that was started. */
  slotOf(reserved: ReservedJob): number | undefined {
    const slot = this.#entries.get(reserved)?.slot;
    return slot === -1 ? undefined : slot;
  }

  done(reserved: ReservedJob): void {
    this.#mark(reserved, marks.done);
  }

  settled(reserved: ReservedJob): void {
    this.#mark(reserved, marks.settled);
  }

  /** Answers the slot that is free now. */
  ended(reserved: ReservedJob): number | undefined {
    const entry = this.#entries.get(reserved);
    if (!entry) return undefined;
    this.#entries.delete(reserved);
    this.#frame.entry(marks.ended, entry.n);
    this.#writeLater();
    return entry.slot === -1 ? undefined : entry.slot;
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

  #mark(reserved: ReservedJob, mark: number): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
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
    setImmediate(() => {
      this.#later = false;
      this.flush();
    });
  }

  #beginAgain(): void {
    this.#generation += 1;
    this.#frames = 0;
    this.#position = journalStart;
    this.#frame.clear();
    for (const [reserved, entry] of this.#entries) {
      putReserved(this.#frame, entry.n, [reserved]);
      if (entry.slot !== -1) putStart(this.#frame, entry.n, entry, reserved.body);
      if (entry.mark !== 0) this.#frame.entry(entry.mark, entry.n);
    }
  }
}
