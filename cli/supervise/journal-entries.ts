import type { ReservedJob } from '../../src/index.js';
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
const bodies = {
  /** In an entry of its own, once its handler starts: the job may never come to it here. */
  comesLater: 0,
  follows: 1,
  inStore: 2,
  /** In the store, where the token alone finds it: no handle is written either. */
  byToken: 3,
} as const;
/** A longer body comes later. */
const shortBody = 4096;

/** A job that is reserved now. */
export interface ReservedEntry {
  readonly reserved: ReservedJob;
  /** See {@link placeOfBody}. */
  readonly bodyIs: number;
  /** Whether it may start unwritten, when a frame has announced it. */
  readonly mayBeAnnounced: boolean;
}

/** Where the body of a job is to be found. @param inStore whether those of its store can be read from there. */
export function placeOfBody({ body, isFoundByToken }: ReservedJob, inStore: boolean): number {
  if (inStore) return isFoundByToken ? bodies.byToken : bodies.inStore;
  return body.length <= shortBody ? bodies.follows : bodies.comesLater;
}

/** Whether the body is written when the handler starts. */
export function comesLater({ bodyIs }: ReservedEntry): boolean {
  return bodyIs === bodies.comesLater;
}

/** Jobs that are reserved now, numbered on from the first. */
export function putReserved(frame: Frame, first: number, entries: readonly ReservedEntry[]): void {
  for (let from = 0; from < entries.length; ) from = putAlike(frame, first, entries, from);
}

/** Puts those from this one on that are like it, in one entry. Answers the place of the next. */
function putAlike(frame: Frame, first: number, entries: readonly ReservedEntry[], from: number): number {
  const entry = entries[from] as ReservedEntry;
  const { id, queue, attempts, lease } = entry.reserved;
  let to = from + 1;
  while (to < entries.length && areAlike(entry, entries[to] as ReservedEntry)) to += 1;
  frame.entry(marks.reserved, first + from);
  frame.number(to - from);
  frame.text(queue);
  frame.text(lease.queue);
  frame.number(attempts);
  frame.number(entry.mayBeAnnounced ? 1 : 0);
  frame.number(entry.bodyIs);
  frame.number(id.length);
  frame.number(lease.token.length);
  frame.number(typeof lease.handle === 'number' ? 1 : 0);
  let texts = ''; // in one go: to add each to a frame that has grown old is to tell the garbage collector of each
  for (let index = from; index < to; index++) texts += putOne(frame, entries[index] as ReservedEntry);
  frame.texts(texts);
  return to;
}

/** Whether they differ in no more than their texts, or the number of the handle. */
function areAlike(entry: ReservedEntry, other: ReservedEntry): boolean {
  const one = entry.reserved;
  const two = other.reserved;
  return (
    entry.bodyIs === other.bodyIs &&
    entry.mayBeAnnounced === other.mayBeAnnounced &&
    one.queue === two.queue &&
    one.lease.queue === two.lease.queue &&
    one.attempts === two.attempts &&
    one.id.length === two.id.length &&
    one.lease.token.length === two.lease.token.length &&
    typeof one.lease.handle === typeof two.lease.handle
  );
}

/** Puts what it has of its own. Answers its texts. */
function putOne(frame: Frame, { reserved: { id, body, lease }, bodyIs }: ReservedEntry): string {
  const { token, handle } = lease;
  if (bodyIs === bodies.byToken) return id + token;
  const isNumber = typeof handle === 'number';
  frame.number(isNumber ? handle : handle.length);
  const texts = isNumber ? id + token : id + token + handle;
  if (bodyIs !== bodies.follows) return texts;
  frame.number(body.length);
  return texts + body;
}

/** Reads what follows the mark `reserved`. */
export function readReserved(frame: FrameReader): ReservedEntry[] {
  const [count, queue, place, attempts] = [frame.number(), frame.text(), frame.text(), frame.number()];
  const mayBeAnnounced = frame.number() === 1;
  const [bodyIs, idLength, tokenLength] = [frame.number(), frame.number(), frame.number()];
  const isNumber = frame.number() === 1;
  return Array.from({ length: count }, () => {
    const { id, body, token, handle } = bodyIs === bodies.byToken ? readBare() : readWhole();
    const reserved = { id, queue, body, attempts, lease: { queue: place, token, handle } };
    return { reserved, bodyIs, mayBeAnnounced };
  });

  function readBare() {
    const [id, token] = [frame.textOf(idLength), frame.textOf(tokenLength)];
    return { id, body: '', token, handle: token };
  }

  function readWhole() {
    const handleOrLength = frame.number();
    const [id, token] = [frame.textOf(idLength), frame.textOf(tokenLength)];
    const handle = isNumber ? handleOrLength : frame.textOf(handleOrLength);
    return { id, token, handle, body: bodyIs === bodies.follows ? frame.text() : '' };
  }
}

/** Reads what follows the mark `started`. */
export function readStart(frame: FrameReader): Start {
  const [slot, atMs, timeoutMs, name] = [frame.number(), frame.number(), frame.number(), frame.number()];
  return { slot, atMs, timeoutMs, name };
}
