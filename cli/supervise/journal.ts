import type { ReservedJob } from '../../src/index.js';
import type { JournalParts } from './board.js';
import { type FrameReader, framesIn } from './frame.js';
import { marks, readReserved, readStart, type Start } from './journal-entries.js';

/**
 * The journal of a worker process: which jobs it holds, and how far each of them is. Binary, in frames that were each
 * written at once. A frame has entries, and each entry begins with a mark and the number of a job in this journal.
 *
 * When it has grown long it begins again at its start, with a frame that has all that is still ours; what follows its
 * last frame is left of older ones.
 */
export interface Journal {
  /** Reserved ahead, not started. */
  readonly held: readonly ReservedJob[];
  /** Reserved ahead, and announced by the last frame: each may have started since, and may even have ended. */
  readonly announced: readonly ReservedJob[];
  readonly started: readonly StartRecord[];
}

/** The record of a start. */
export interface StartRecord extends Omit<Start, 'name'> {
  readonly name: string;
  readonly reserved: ReservedJob;
  readonly state: 'running' | 'done' | 'settled';
}

interface Entry {
  readonly n: number;
  reserved: ReservedJob;
  readonly mayBeAnnounced: boolean;
  start?: Start;
  state: StartRecord['state'];
}

/** Reads a journal up to its last whole frame. */
export function readJournal({ frames, next }: JournalParts): Journal {
  const reading = new Reading();
  for (const frame of framesIn(frames, next)) reading.take(frame);
  return reading.journal;
}

class Reading {
  readonly #entries = new Map<number, Entry>();
  readonly #names = new Map<number, string>();
  #announced = { after: 0, to: 0 };

  take(frame: FrameReader): void {
    this.#announced = { after: 0, to: 0 };
    while (!frame.isAtEnd) this.#apply(frame);
  }

  get journal(): Journal {
    const held: ReservedJob[] = [];
    const announced: ReservedJob[] = [];
    const started: StartRecord[] = [];
    const { after, to } = this.#announced;
    for (const { n, reserved, mayBeAnnounced, start, state } of this.#entries.values()) {
      if (start) started.push({ ...start, reserved, state, name: this.#names.get(start.name) ?? '' });
      else if (mayBeAnnounced && n > after && n <= to) announced.push(reserved);
      else held.push(reserved);
    }
    return { held, announced, started };
  }

  #apply(frame: FrameReader): void {
    const [mark, n] = frame.entry();
    const entry = this.#entries.get(n);
    switch (mark) {
      case marks.reserved:
        for (const [index, one] of readReserved(frame).entries()) {
          this.#entries.set(n + index, { ...one, n: n + index, state: 'running' });
        }
        break;
      case marks.body: {
        const body = frame.text();
        if (entry) entry.reserved = { ...entry.reserved, body };
        break;
      }
      case marks.started: {
        const start = readStart(frame);
        if (entry) entry.start = start;
        break;
      }
      case marks.done:
        if (entry) entry.state = 'done';
        break;
      case marks.settled:
        if (entry) entry.state = 'settled';
        break;
      case marks.ended:
        this.#entries.delete(n);
        break;
      case marks.announced:
        this.#announced = { after: n, to: frame.number() };
        break;
      case marks.name:
        this.#names.set(n, frame.text());
        break;
      default:
        throw new TypeError(`a journal has an entry with mark ${mark}, which nobody writes`);
    }
  }
}
