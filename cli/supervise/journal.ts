import type { ReservedJob } from '../../src/index.js';
import { type FrameReader, framesIn } from './frame.js';
import { marks, readReserved, readStart, type Start } from './journal-entries.js';

/**
 * The journal of a worker process: which jobs it holds, and how far each of them is. Binary, in frames that were each
 * written at once. A frame has entries, and each entry begins with a mark and the number of a job in this journal.
 *
 * When it has grown long it begins again at its start, as a new generation whose first frame has all that is still
 * ours; what follows its last frame is left of older ones.
 */
export interface Journal {
  /** Reserved ahead, not started. */
  readonly held: readonly ReservedJob[];
  readonly started: readonly StartRecord[];
}

/** The record of a start. */
export interface StartRecord extends Start {
  readonly reserved: ReservedJob;
  readonly state: 'running' | 'done' | 'settled';
}

interface Entry {
  reserved: ReservedJob;
  start?: Start;
  state: StartRecord['state'];
}

/** Reads a journal up to its last whole frame. */
export function readJournal(bytes: Buffer): Journal {
  const entries = new Map<number, Entry>();
  for (const frame of framesIn(bytes)) while (!frame.isAtEnd) apply(frame, entries);
  const held: ReservedJob[] = [];
  const started: StartRecord[] = [];
  for (const { reserved, start, state } of entries.values()) {
    if (start) started.push({ reserved, ...start, state });
    else held.push(reserved);
  }
  return { held, started };
}

function apply(frame: FrameReader, entries: Map<number, Entry>): void {
  const [mark, n] = frame.entry();
  const entry = entries.get(n);
  switch (mark) {
    case marks.reserved:
      for (const [index, reserved] of readReserved(frame).entries()) {
        entries.set(n + index, { reserved, state: 'running' });
      }
      break;
    case marks.started: {
      const [start, body] = readStart(frame);
      if (entry) Object.assign(entry, { start, reserved: { ...entry.reserved, body } });
      break;
    }
    case marks.done:
      if (entry) entry.state = 'done';
      break;
    case marks.settled:
      if (entry) entry.state = 'settled';
      break;
    case marks.ended:
      entries.delete(n);
      break;
    default:
      throw new TypeError(`a journal has an entry with mark ${mark}, which nobody writes`);
  }
}
