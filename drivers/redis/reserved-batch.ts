import { isAscii } from 'node:buffer';
import type { ReservedJob } from '../../src/index.js';
import { handleOf, textOf } from './member.js';
import type { MemberCodec } from './wire.js';

/**
 * Jobs as the reserve script answers them: the beginning of their tokens; then three for each batch of one queue, its
 * number from 1, the sizes of the members with those of the bodies kept beside them, below 0, and all of these in one
 * piece. A batch has few elements, as each costs the client more than its bytes do.
 */
export type ReservedBatch = (number | Buffer)[];

/** Gets one job. @param member a Buffer where it is no text. @param kept the body beside it, empty where there is none. */
type Take = (number: number, token: string, member: string | Buffer, kept: Buffer) => void;

/** No body is kept beside the member. */
const nothing = Buffer.alloc(0);

/** The jobs, in their order. @param queues by their numbers. @param random the end of their tokens. */
export function jobsOf(
  batch: ReservedBatch,
  queues: readonly string[],
  random: string,
  members: MemberCodec,
): ReservedJob[] {
  const jobs: ReservedJob[] = [];
  readBatch(batch, random, (number, token, member, kept) => {
    jobs.push(jobOf(queues[number - 1] ?? '', token, member, kept, members));
  });
  return jobs;
}

function readBatch(batch: ReservedBatch, random: string, take: Take): void {
  const began = batch[0]?.toString() ?? '';
  let place = 0;
  for (let at = 1; at < batch.length; at += 3) {
    const [number, sizeTexts, bytes] = batch.slice(at, at + 3) as [number, Buffer, Buffer];
    const sizes = sizesIn(sizeTexts);
    const isPlain = isAscii(bytes);
    let from = 0;
    for (let index = 0; index < sizes.length; index++) {
      const to = from + (sizes[index] as number);
      const keptTo = to - Math.min(0, sizes[index + 1] ?? 0);
      const member = isPlain ? bytes.toString('latin1', from, to) : textOf(bytes.subarray(from, to));
      take(
        number,
        began + placeText(place) + random,
        member,
        keptTo > to ? bytes.subarray(to, keptTo) : nothing,
      );
      place += 1;
      if ((sizes[index + 1] ?? 0) < 0) index++;
      from = keptTo;
    }
  }
}

/** A job that was reserved. @param kept the body beside it; empty where there is none. */
export function jobOf(
  queue: string,
  token: string,
  member: string | Buffer,
  kept: Buffer | undefined,
  members: MemberCodec,
): ReservedJob {
  const lease = { queue, token, handle: handleOf(member) };
  return { queue, ...members.held(member, kept ?? nothing, token), lease };
}

/** Whole numbers with blanks between them. */
function sizesIn(text: Buffer): number[] {
  const found: number[] = [];
  let size = 0;
  let sign = 1;
  for (const byte of text) {
    if (byte === blank) {
      found.push(sign * size);
      size = 0;
      sign = 1;
    } else if (byte === minus) sign = -1;
    else size = size * 10 + byte - zero;
  }
  if (text.length > 0) found.push(sign * size);
  return found;
}

/** Whether each lease was held, of which a script answers '1' or '0', or '' where all were. */
export function heldIn(answer: Buffer, count: number): boolean[] {
  const held = new Array<boolean>(count).fill(true);
  for (const [index, digit] of answer.entries()) held[index] = digit === one;
  return held;
}

const one = 0x31;
const blank = 0x20;
const minus = 0x2d;
const zero = 0x30;

const placeTexts: string[] = [];

/** The place of a job in its batch, as tokens have it: four digits, in hex. */
export function placeText(place: number): string {
  const digits = place % 65_536;
  placeTexts[digits] ??= digits.toString(16).padStart(4, '0');
  return placeTexts[digits];
}
