import type { BodyInHandle, ReservedJob } from '../../src/index.js';
import type { Frame, FrameReader } from './frame.js';

/** What an entry of a journal says of the job of its number. */
export const marks = {
  /** It and as many as follow, numbered on from it, are ours: see `putReserved`. */
  reserved: 1,
  /** Its handler starts: see `readStart`. */
  started: 2,
  /** Its handler has ended well; it is left to delete. */
  done: 3,
  /** It is settled, but its handler goes on. */
  settled: 4,
  /** It is ours no longer. */
  ended: 5,
  /** Its body, where that did not come with its reserve. */
  body: 6,
  /** Those that follow it, up to another number, may start before the next frame is written. */
  announced: 7,
  /** Not of a job: the text of the name of this number. */
  name: 8,
} as const;

/** That a handler starts. */
export interface Start {
  readonly slot: number;
  /** On the monotonic clock that the processes of a host share. */
  readonly atMs: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** The number of its name. */
  readonly name: number;
}

/** Where the body of a reserved job is. */
const bodies = { comesLater: 0, inHandle: 1, follows: 2 } as const;

/** A job that is reserved now. */
export interface ReservedEntry {
  readonly reserved: ReservedJob;
  /** Whether its body comes with its reserve, so that it may be announced. */
  readonly withBody: boolean;
}

/** Jobs that are reserved now, numbered on from the first. */
export function putReserved(frame: Frame, first: number, entries: readonly ReservedEntry[]): void {
  for (let from = 0; from < entries.length; ) from = putAlike(frame, first, entries, from);
}

/** Puts those from this one on that are like it, in one entry. Answers the place of the next. */
function putAlike(frame: Frame, first: number, entries: readonly ReservedEntry[], from: number): number {
  const entry = entries[from] as ReservedEntry;
  const { id, queue, attempts, lease, bodyInHandle } = entry.reserved;
  const where = bodyOf(entry);
  let to = from + 1;
  while (to < entries.length && areAlike(entry, entries[to] as ReservedEntry, where)) to += 1;
  frame.entry(marks.reserved, first + from);
  frame.number(to - from);
  frame.text(queue);
  frame.text(lease.queue);
  frame.number(attempts);
  frame.number(where);
  frame.number(id.length);
  frame.number(lease.token.length);
  frame.number(typeof lease.handle === 'number' ? 1 : 0);
  if (where === bodies.inHandle) {
    frame.number(bodyInHandle?.cut ?? 0);
    frame.text(bodyInHandle?.end ?? '');
  }
  let texts = ''; // in one go: to add each to a frame that has grown old is to tell the garbage collector of each
  for (let index = from; index < to; index++) texts += putOne(frame, entries[index] as ReservedEntry, where);
  frame.texts(texts);
  return to;
}

/** Whether they differ in no more than their texts, or the number of the handle. */
function areAlike(entry: ReservedEntry, other: ReservedEntry, where: number): boolean {
  const one = entry.reserved;
  const two = other.reserved;
  return (
    one.queue === two.queue &&
    one.lease.queue === two.lease.queue &&
    one.attempts === two.attempts &&
    one.id.length === two.id.length &&
    one.lease.token.length === two.lease.token.length &&
    typeof one.lease.handle === typeof two.lease.handle &&
    one.bodyInHandle === two.bodyInHandle &&
    where === bodyOf(other)
  );
}

function bodyOf({ reserved: { bodyInHandle }, withBody }: ReservedEntry): number {
  if (!withBody) return bodies.comesLater;
  return bodyInHandle === undefined ? bodies.follows : bodies.inHandle;
}

/** Puts what it has of its own. Answers its texts. */
function putOne(frame: Frame, { reserved: { id, body, lease } }: ReservedEntry, where: number): string {
  const { token, handle } = lease;
  const isNumber = typeof handle === 'number';
  frame.number(isNumber ? handle : handle.length);
  const texts = isNumber ? id + token : id + token + handle;
  if (where !== bodies.follows) return texts;
  frame.number(body.length);
  return texts + body;
}

/** Reads what follows the mark `reserved`. */
export function readReserved(frame: FrameReader): ReservedEntry[] {
  const [count, queue, place] = [frame.number(), frame.text(), frame.text()];
  const [attempts, where] = [frame.number(), frame.number()];
  const [idLength, tokenLength] = [frame.number(), frame.number()];
  const isNumber = frame.number() === 1;
  const [cut, end] = where === bodies.inHandle ? [frame.number(), frame.text()] : [0, ''];
  return Array.from({ length: count }, () => {
    const handleOrLength = frame.number();
    const [id, token] = [frame.textOf(idLength), frame.textOf(tokenLength)];
    const handle = isNumber ? handleOrLength : frame.textOf(handleOrLength);
    const told = where === bodies.inHandle ? bodyIn(`${handle}`, { cut, end }) : '';
    const body = where === bodies.follows ? frame.text() : told;
    const reserved = { id, queue, body, attempts, lease: { queue: place, token, handle } };
    return { reserved, withBody: where !== bodies.comesLater };
  });
}

function bodyIn(handle: string, { cut, end }: BodyInHandle): string {
  return handle.slice(0, handle.length - cut) + end;
}

/** Reads what follows the mark `started`. */
export function readStart(frame: FrameReader): Start {
  const [slot, atMs, timeoutMs, name] = [frame.number(), frame.number(), frame.number(), frame.number()];
  return { slot, atMs, timeoutMs, name };
}
