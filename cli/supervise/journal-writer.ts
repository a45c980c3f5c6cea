import { writeSync } from 'node:fs';
import type { ReservedJob } from '../../src/index.js';
import { journalStart } from './board.js';
import { monotonicMs } from './monotonic.js';

/** A journal begins again when it has grown by so much, in bytes. */
const longestBytes = 262_144;

interface Entry {
  readonly n: number;
  readonly reserved: ReservedJob;
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
  #last = 0;
  #lines = '';
  #position = journalStart;
  #generation = 0;
  #frames = 0;
  #nextCheckpoint = 0;
  #soon = false;
  #later: NodeJS.Immediate | undefined;

  /** @param onError told of a write that failed; what it held is not on record then. */
  constructor(fd: number, onError: (error: unknown) => void) {
    this.#fd = fd;
    this.#onError = onError;
  }

  reserved(jobs: readonly ReservedJob[]): void {
    for (const reserved of jobs) {
      const entry = { n: ++this.#last, reserved, start: '' };
      this.#entries.set(reserved, entry);
      this.#lines += reserveLine(entry);
    }
    this.#writeSoon();
  }

  started(reserved: ReservedJob, slot: number, name: string, timeoutMs: number): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
    const { body } = reserved;
    const bodyLine = body.includes('\n') ? `J${JSON.stringify(body)}` : `B${body}`;
    const start = JSON.stringify([entry.n, slot, monotonicMs(), timeoutMs, name]);
    entry.start = `S${start}\n${bodyLine}\n`;
    this.#lines += entry.start;
    this.#writeSoon();
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

  ended(reserved: ReservedJob): void {
    const entry = this.#entries.get(reserved);
    if (!entry) return;
    this.#entries.delete(reserved);
    this.#lines += `E${entry.n}\n`;
    this.#writeLater();
  }

  /** Before the microtasks that are queued after this call: the handlers of this run of microtasks. */
  #writeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(() => this.flush());
  }

  /** With the next start, or at the end of the turn. */
  #writeLater(): void {
    this.#later ??= setImmediate(() => this.flush());
  }

  /** Writes what is not written yet. */
  flush(): void {
    this.#soon = false;
    if (this.#later) clearImmediate(this.#later);
    this.#later = undefined;
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
    if (isCheckpoint) this.#nextCheckpoint = this.#position + longestBytes;
  }

  #beginAgain(): void {
    this.#generation += 1;
    this.#frames = 0;
    this.#position = journalStart;
    this.#lines = '';
    for (const entry of this.#entries.values()) this.#lines += reserveLine(entry) + entry.start;
  }
}

function reserveLine({ n, reserved }: Entry): string {
  const { id, queue, lease, attempts } = reserved;
  return `R${JSON.stringify([n, id, queue, lease.token, lease.handle, attempts])}\n`;
}
