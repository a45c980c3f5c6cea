import type { ReservedJob } from '../../src/index.js';
import type { Frame, FrameReader } from './frame.js';

/** What an entry of a journal says of the job of its number. */
export const marks = {
  /** It and as many as follow, numbered on from it, are ours: see `putReserved`. */
  reserved: 1,
  /** Its handler starts: see `putStart`. */
  started: 2,
  /** Its handler has ended well; it is left to delete. */
  done: 3,
  /** It is settled, but its handler goes on. */
  settled: 4,
  /** It is ours no longer. */
  ended: 5,
} as const;

/** That a handler starts. */
export interface Start {
  readonly name: string;
  readonly slot: number;
  /** On the monotonic clock that the processes of a host share. */
  readonly atMs: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
}

/** Written for each job that a worker runs, so short texts go as one: what those cost is mostly the call. */
export function putReserved(frame: Frame, first: number, jobs: readonly ReservedJob[]): void {
  frame.entry(marks.reserved, first);
  frame.number(jobs.length);
  let texts = '';
  for (const { id, queue, attempts, lease } of jobs) {
    const { token, handle } = lease;
    const laneOf = lease.queue === queue ? '' : lease.queue;
    frame.number(attempts);
    frame.number(id.length);
    frame.number(token.length);
    frame.number(queue.length);
    frame.number(laneOf.length);
    texts += id + token + queue + laneOf;
    if (typeof handle === 'number') {
      frame.number(1);
      frame.number(handle);
    } else {
      frame.number(0);
      frame.text(handle);
    }
  }
  frame.text(texts);
}

/** Reads what follows the mark `reserved`; without the bodies. */
export function readReserved(frame: FrameReader): ReservedJob[] {
  const count = frame.number();
  const jobs = Array.from({ length: count }, () => {
    const [attempts, ...lengths] = Array.from({ length: 5 }, () => frame.number()) as [number, ...number[]];
    const isNumber = frame.number() === 1;
    return { attempts, lengths, handle: isNumber ? frame.number() : frame.text() };
  });
  const texts = frame.text();
  let at = 0;
  const take = (length = 0) => {
    at += length;
    return texts.slice(at - length, at);
  };
  return jobs.map(({ attempts, lengths, handle }) => {
    const [id = '', token = '', queue = '', laneOf = ''] = lengths.map((length) => take(length));
    const lease = { queue: laneOf || queue, token, handle };
    return { id, queue, body: '', attempts, lease };
  });
}

/** A job's body travels with its start: one that is only held is given back, which takes its lease alone. */
export function putStart(
  frame: Frame,
  n: number,
  { name, slot, atMs, timeoutMs }: Start,
  body: string,
): void {
  frame.entry(marks.started, n);
  frame.number(slot);
  frame.number(atMs);
  frame.number(timeoutMs);
  frame.text(name);
  frame.text(body);
}

/** Reads what follows the mark `started`. */
export function readStart(frame: FrameReader): readonly [start: Start, body: string] {
  const [slot, atMs, timeoutMs] = [frame.number(), frame.number(), frame.number()];
  return [{ slot, atMs, timeoutMs, name: frame.text() }, frame.text()];
}
