import { randomFillSync } from 'node:crypto';

/** How many bytes a token takes of chance; the rest of it is the time, and the place in the batch. */
const size = 7;
/** For many reserves at a time: asking for random bytes costs more than they do. */
const pool = Buffer.allocUnsafeSlow(size * 64);
let next = pool.length;

/** 14 random hex digits, for the tokens of one reserve. */
export function randomDigits(): string {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += size;
  return pool.toString('hex', next - size, next);
}
