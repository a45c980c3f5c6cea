import type { ReservedJob } from '../../src/index.js';
import { readReserveLine, readStartLine } from './journal-lines.js';

/**
 * The journal of a worker process: which jobs it holds, and how far each of them is. Text, in frames that were each
 * written at once:
 *
 * ```
 * F<generation> <number>   begins a frame
 * R<n>…                    job n is ours: its id, queue, lease and attempts
 * S<n>…                    its handler starts, in a slot and with a timeout; the next line is its body
 * D<n>                     its handler has ended well; it is left to delete
 * Z<n>                     it is settled, but its handler goes on
 * E<n>                     it is ours no longer
 * .                        ends a frame
 * ```
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
export interface StartRecord {
  readonly reserved: ReservedJob;
  readonly name: string;
  readonly slot: number;
  /** On the monotonic clock that the processes of a host share. */
  readonly atMs: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly state: 'running' | 'done' | 'settled';
}

interface Entry {
  reserved: ReservedJob;
  start?: Omit<StartRecord, 'reserved' | 'state'>;
  state: StartRecord['state'];
}

/** Reads a journal up to its last whole frame. */
export function readJournal(text: string): Journal {
  const entries = new Map<number, Entry>();
  for (const frame of framesOf(text)) apply(frame, entries);
  const held: ReservedJob[] = [];
  const started: StartRecord[] = [];
  for (const { reserved, start, state } of entries.values()) {
    if (start) started.push({ reserved, ...start, state });
    else held.push(reserved);
  }
  return { held, started };
}

function* framesOf(text: string): Generator<readonly string[]> {
  const generation = /^F(\d+) 0\n/.exec(text)?.[1];
  for (let number = 0, at = 0; generation !== undefined; number++) {
    const head = `F${generation} ${number}\n`;
    if (!text.startsWith(head, at)) return;
    const lines: string[] = [];
    let start = at + head.length;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end < 0) return;
      const line = text.slice(start, end);
      start = end + 1;
      if (line === '.') break;
      lines.push(line);
    }
    yield lines;
    at = start;
  }
}

function apply(frame: readonly string[], entries: Map<number, Entry>): void {
  let started: Entry | undefined;
  for (const line of frame) {
    const rest = line.slice(1);
    const entry = entries.get(Number(rest));
    switch (line[0]) {
      case 'R':
      case 'Q': {
        const [n, reserved] = readReserveLine(line);
        entries.set(n, { reserved, state: 'running' });
        break;
      }
      case 'S': {
        const [n, start] = readStartLine(line);
        started = entries.get(n);
        if (started) started.start = start;
        break;
      }
      case 'B':
      case 'J':
        if (started) {
          const body = line[0] === 'B' ? rest : (JSON.parse(rest) as string);
          started.reserved = { ...started.reserved, body };
        }
        break;
      case 'D':
        if (entry) entry.state = 'done';
        break;
      case 'Z':
        if (entry) entry.state = 'settled';
        break;
      case 'E':
        entries.delete(Number(rest));
        break;
    }
  }
}
