import { writeSync } from 'node:fs';
import type { ReservedJob } from '../../src/index.js';
import { journalStart } from './board.js';
import { reserveLine, startLines } from './journal-lines.js';
import { monotonicMs } from './monotonic.js';

/** A journal begins again when it has grown by so much, in characters. */
const longest = 1_048_576;

interface Entry {
  readonly n: number;
  readonly reserved: ReservedJob;
  slot: number | undefined;
  /** The lines that tell of its start, and of what came after. */
  start: string;
}

/**
 * Writes the journal of this process. What one run of microtasks brings travels in one write, which is made before
 * a handler of that run starts; a write to a file waits for no reader.
 */
export class JournalWriter {
  readonly #fd: number;
  readonly #onError: (error: unknown) => void;
  readonly #entries = new Map<ReservedJob, Entry>();
  readonly #write = () => {
    this.#soon = false;
    this.flush();
  };
  #last = 0;
  #lines = '';
  #position = journalStart;
  #generation = 0;
  #frames = 0;
  #nextCheckpoint = 0;
  #soon = false;
  #later = false;

  /** @param onError told of a write that failed; what it held is not on record then. */
  constructor(fd: number, onError: (error: unknown) => void) {
    this.#fd = fd;
    this.#onError = onError;
  }

  reserved(jobs: readonly ReservedJob[]): void {
    for (const reserved of jobs) {
      const n = ++this.#last;
      this.#entries.set(reserved, { n, reserved, slot: undefined, start: '' });
      this.#lines += reserveLine(n, reserved);
    }
    this.#writeSoon();
  }

  started(reserved: ReservedJob, slot: number, name: string, timeoutMs: number): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
    entry.slot = slot;
    entry.start = startLines(entry.n, slot, Math.round(monotonicMs()), timeoutMs, name, reserved.body);
    this.#lines += entry.start;
    this.#writeSoon();
  }

  /** The slot of a job that was started. */
  slotOf(reserved: ReservedJob): number | undefined {
    return this.#entries.get(reserved)?.slot;
  }

  /** @param mark D or Z; see `Journal`. */
  mark(reserved: ReservedJob, mark: 'D' | 'Z'): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
    const line = `${mark}${entry.n}\n`;
    entry.start += line;
    this.#lines += line;
    this.#writeLater();
  }

  /** Answers the slot that is free now. */
  ended(reserved: ReservedJob): number | undefined {
    const entry = this.#entries.get(reserved);
    if (!entry) return undefined;
    this.#entries.delete(reserved);
    this.#lines += `E${entry.n}\n`;
    this.#writeLater();
    return entry.slot;
  }

  /** Writes what is not written yet. */
  flush(): void {
    if (this.#lines === '') return;
    const isCheckpoint = this.#position >= this.#nextCheckpoint;
    if (isCheckpoint) this.#beginAgain();
    const frame = `F${this.#generation} ${this.#frames++}\n${this.#lines}.\n`;
    this.#lines = '';
    try {
      this.#position += writeSync(this.#fd, frame, this.#position);
    } catch (error) {
      this.#nextCheckpoint = 0; // the frames that follow would not be read
      this.#onError(error);
      return;
    }
    if (isCheckpoint) this.#nextCheckpoint = this.#position + longest;
  }

  /** Before the microtasks that are queued after this call: the handlers of this run of microtasks. */
  #writeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(this.#write);
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
    this.#lines = '';
    for (const { n, reserved, start } of this.#entries.values()) {
      this.#lines += reserveLine(n, reserved) + start;
    }
  }
}
