import { monotonicMs } from '../../src/monotonic.js';
import { journalStart } from './board.js';
import { entryOf, Frame, serialAfter } from './frame.js';
import { comesLater, marks, placeOfBody, putReserved } from './journal-entries.js';
import { JournalEntries, type JournalEntry } from './journal-entry.js';
import { Names } from './names.js';
import { Quickness } from './quickness.js';
import type { Steps } from './steps.js';

/** A journal begins again when it has grown by so many bytes. */
const longest = 1_048_576;

/** Where nothing is under way. */
const now = Promise.resolve();

/**
 * Writes the journal of this process. What one run of microtasks brings travels in one write, which is made before
 * a handler of that run starts; a write to a file waits for no reader. That jobs have ended waits a turn of the event loop
 * for what the next run brings.
 *
 * Where handlers are quick a frame **announces** the jobs that come next: they start without one of their own.
 */
export class JournalWriter {
  readonly #fd: number;
  readonly #steps: Steps;
  readonly #onError: (error: unknown) => void;
  readonly #entries = new JournalEntries();
  readonly #frame = new Frame();
  readonly #names = new Names();
  readonly #quickness = new Quickness();
  readonly #write = () => this.#writeStarts();
  readonly #writeAtLast = () => this.#endTurn();
  #arrived: (readonly JournalEntry[])[] = [];
  /** Of starts whose body is not written yet. */
  #bodies: JournalEntry[] = [];
  /** The job that started last, or 0 where it runs alone: a frame may announce those after it. */
  #started = 0;
  /** The last frame announced those after this one... */
  #announcedAfter = 0;
  /** ...up to this one; 0 where it announced none. */
  #announcedTo = 0;
  #last = 0;
  #running = 0;
  #position = journalStart;
  #serial = 1;
  #nextCheckpoint = 0;
  #soon = false;
  #later = false;
  /** Nothing ran at the end of the last turn, which wrote nothing. */
  #waited = false;

  /** @param onError told of a write that failed; what it held is not on record then. */
  constructor(fd: number, steps: Steps, onError: (error: unknown) => void) {
    this.#fd = fd;
    this.#steps = steps;
    this.#onError = onError;
    steps.begin(this.#serial);
  }

  /**
   * Puts jobs on record that this process holds from now on; numbered on from the last.
   *
   * @param mustRunAlone such jobs are never announced.
   * @param bodiesInStore whether their bodies can be read from their store, which has what is not on record here.
   */
  reserved(
    entries: readonly JournalEntry[],
    mustRunAlone: (entry: JournalEntry) => boolean,
    bodiesInStore: boolean,
  ): void {
    for (const entry of entries) {
      entry.n = ++this.#last;
      entry.bodyIs = placeOfBody(entry.reserved, bodiesInStore);
      entry.mayBeAnnounced = !comesLater(entry) && !mustRunAlone(entry);
      this.#entries.add(entry);
    }
    this.#arrived.push(entries);
    this.#writeSoon();
  }

  /** @param alone whether no other job may start until it has ended. */
  started(
    entry: JournalEntry,
    slot: number,
    name: string,
    timeoutMs: number,
    alone: boolean,
    nowMs: number,
  ): void {
    entry.slot = slot;
    entry.name = this.#names.numberOf(name);
    entry.atMs = nowMs;
    entry.timeoutMs = timeoutMs;
    if (this.#steps.isFull) this.flush();
    this.#putStart(entry);
    this.#running += 1;
    this.#started = alone ? 0 : entry.n;
    this.#quickness.started(entry.atMs);
    if (alone || !this.#isAnnounced(entry)) this.#ask(entry);
    this.#writeLater();
  }

  done(entry: JournalEntry): void {
    this.#mark(entry, marks.done);
  }

  settled(entry: JournalEntry): void {
    this.#mark(entry, marks.settled);
  }

  ended(entry: JournalEntry): void {
    this.#entries.delete(entry);
    if (entry.slot !== -1 && entry.mark === 0) this.#running -= 1;
    this.#step(marks.ended, entry);
  }

  /** Writes what is not written yet. Nothing is announced then. */
  flush(): void {
    const isWritten = this.#steps.isEmpty && this.#arrived.length === 0 && this.#bodies.length === 0;
    if (isWritten && this.#announcedTo === 0) return;
    this.#putNews();
    this.#writeFrame();
  }

  #isAnnounced({ n, mayBeAnnounced, name, atMs }: JournalEntry): boolean {
    const isIt = n > this.#announcedAfter && n <= this.#announcedTo && mayBeAnnounced;
    return isIt && this.#names.isWritten(name) && this.#quickness.lasts(atMs);
  }

  /** A start needs a frame of its own. */
  #ask(entry: JournalEntry): void {
    if (comesLater(entry)) this.#bodies.push(entry);
    this.#writeSoon();
  }

  #putStart({ n, slot, atMs, timeoutMs, name }: JournalEntry): void {
    this.#steps.addStart(entryOf(marks.started, n), slot, atMs, timeoutMs, name);
  }

  #mark(entry: JournalEntry, mark: number): void {
    if (entry.mark === 0) this.#running -= 1;
    entry.mark = mark;
    this.#step(mark, entry);
  }

  #step(mark: number, { n }: JournalEntry): void {
    if (this.#steps.isFull) this.flush();
    this.#steps.add(entryOf(mark, n));
    this.#writeLater();
  }

  /** Before the microtasks that are queued after this call: the handlers of this run of microtasks. */
  #writeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    void now.then(this.#write); // half a microsecond less than queueMicrotask, which keeps books on its callbacks
  }

  #writeStarts(): void {
    this.#soon = false;
    const after = this.#started;
    const most = after > 0 ? this.#quickness.asked(monotonicMs()) : 0;
    if (most > 0 && this.#steps.isWatched) {
      this.#putNews();
      this.#writeFrame(after, Math.min(after + most, this.#last));
      this.#writeLater(); // an announcement ends with its turn
    } else this.flush();
  }

  /** With the next start, or at the end of a turn. */
  #writeLater(): void {
    if (this.#later) return;
    this.#later = true;
    setImmediate(this.#writeAtLast);
  }

  /** Where nothing runs the next turn has its say first: a store in this process brings the next jobs with it. */
  #endTurn(): void {
    this.#later = false;
    this.#quickness.turnEnds(this.#running);
    const waits = this.#running === 0 && !this.#waited;
    this.#waited = waits;
    if (waits) this.#writeLater();
    else this.flush();
  }

  #putNews(): void {
    const frame = this.#frame;
    if (this.#position >= this.#nextCheckpoint) {
      this.#beginAgain();
      return;
    }
    for (const entries of this.#arrived) putReserved(frame, entries[0]?.n ?? 0, entries);
    this.#names.putNew(frame);
    for (const entry of this.#bodies) putBody(frame, entry);
    frame.numbers(this.#steps.numbers);
  }

  #beginAgain(): void {
    this.#position = journalStart;
    this.#nextCheckpoint = 0;
    const frame = this.#frame;
    this.#names.putAll(frame);
    for (const entry of this.#entries.items) putAll(frame, entry);
  }

  /** Writes the frame, with what it announces. */
  #writeFrame(after = 0, to = 0): void {
    const frame = this.#frame;
    const announces = to > after;
    if (announces) {
      frame.entry(marks.announced, after);
      frame.number(to);
    }
    const isFirst = this.#nextCheckpoint === 0;
    let isWritten = true;
    try {
      this.#position += frame.writeTo(this.#fd, this.#position, this.#serial);
      if (isFirst) this.#nextCheckpoint = this.#position + longest;
    } catch (error) {
      isWritten = false;
      this.#nextCheckpoint = 0; // the frames that follow would not be read
      this.#onError(error);
    }
    frame.clear();
    this.#waited = false;
    if (this.#arrived.length > 0) this.#arrived = [];
    if (this.#bodies.length > 0) this.#bodies = [];
    this.#serial = serialAfter(this.#serial);
    this.#announcedAfter = after;
    this.#announcedTo = announces && isWritten ? to : 0;
    this.#steps.begin(this.#serial);
  }
}

function putBody(frame: Frame, { n, reserved }: JournalEntry): void {
  frame.entry(marks.body, n);
  frame.text(reserved.body);
}

/** All that there is to write of a job. */
function putAll(frame: Frame, entry: JournalEntry): void {
  const { n, slot, mark } = entry;
  putReserved(frame, n, [entry]);
  if (slot === -1) return;
  if (comesLater(entry)) putBody(frame, entry);
  frame.entry(marks.started, n);
  frame.number(slot);
  frame.number(entry.atMs);
  frame.number(entry.timeoutMs);
  frame.number(entry.name);
  if (mark !== 0) frame.entry(mark, n);
}
