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

/** Jobs that are reserved now; without their bodies. */
export function putReserved(frame: Frame, first: number, jobs: readonly ReservedJob[]): void {
  frame.entry(marks.reserved, first);
  frame.number(jobs.length);
  for (const { id, queue, attempts, lease } of jobs) {
    const { token, handle } = lease;
    frame.number(attempts);
    frame.text(id);
    frame.text(queue);
    frame.text(lease.queue === queue ? '' : lease.queue);
    frame.text(token);
    const isNumber = typeof handle === 'number';
    frame.number(isNumber ? 1 : 0);
    if (isNumber) frame.number(handle);
    else frame.text(handle);
  }
}

/** Reads what follows the mark `reserved`; without the bodies. */
export function readReserved(frame: FrameReader): ReservedJob[] {
  return Array.from({ length: frame.number() }, () => {
    const [attempts, id, queue, laneOf, token] = [
      frame.number(),
      frame.text(),
      frame.text(),
      frame.text(),
      frame.text(),
    ];
    const handle = frame.number() === 1 ? frame.number() : frame.text();
    return { id, queue, body: '', attempts, lease: { queue: laneOf || queue, token, handle } };
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
