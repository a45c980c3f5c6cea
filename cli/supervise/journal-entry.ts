import type { ReservedJob } from '../../src/index.js';

/** A job of this process, and all that was written of it. */
export class JournalEntry {
  readonly reserved: ReservedJob;
  /** Its number in the journal. */
  n = 0;
  /** See `placeOfBody`. */
  bodyIs = 0;
  mayBeAnnounced = false;
  /** -1 until its handler starts. */
  slot = -1;
  /** The number of its name. */
  name = 0;
  atMs = 0;
  timeoutMs = 0;
  /** What came after its start: done or settled, or 0. */
  mark = 0;
  /** Its place among the entries that have not ended. */
  place = -1;

  constructor(reserved: ReservedJob) {
    this.reserved = reserved;
  }
}

/**
 * Those that have not ended, in no order. Each knows its place, so that nothing is hashed; of one kind, unlike a
 * `Bag`, so that the place is found at once.
 */
export class JournalEntries {
  readonly #items: JournalEntry[] = [];

  get items(): readonly JournalEntry[] {
    return this.#items;
  }

  add(entry: JournalEntry): void {
    entry.place = this.#items.push(entry) - 1;
  }

  /** Each is deleted one time. */
  delete(entry: JournalEntry): void {
    const last = this.#items.pop() as JournalEntry;
    if (last === entry) return;
    this.#items[entry.place] = last;
    last.place = entry.place;
  }
}
