import { closeSync, openSync, readSync } from 'node:fs';
import { loadCrypto } from './load-crypto.js';

/** Where the system has it, the same source that `node:crypto` asks. */
const source = '/dev/urandom';
/** Read at once, as each time costs more than the bytes do. */
const pool = Buffer.allocUnsafeSlow(4096);
let at = pool.length;

/**
 * A text of random bytes, at most 4096, to tell things apart: of a file where there is one, which spares the loading of
 * `node:crypto`.
 */
export function randomText(bytes: number, encoding: 'hex' | 'base64url' = 'hex'): string {
  if (at + bytes > pool.length) {
    if (!readSystem()) loadCrypto().randomFillSync(pool);
    at = 0;
  }
  at += bytes;
  return pool.toString(encoding, at - bytes, at);
}

/** A UUID of version 4. */
export function randomUuid(): string {
  const digits = randomText(16);
  const second = `4${digits.slice(13, 16)}-${variantOf(digits, 16)}${digits.slice(17, 20)}`;
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${second}-${digits.slice(20)}`;
}

/** The digit that stands for a UUID's variant (RFC 9562), with the last two bits of one of `digits`. */
export function variantOf(digits: string, place: number): string {
  const code = digits.charCodeAt(place);
  // A letter's code is one behind the four that its digit would have.
  return '89ab'.charAt((code > 0x39 ? code + 1 : code) & 3);
}

function readSystem(): boolean {
  if (process.platform === 'win32') return false;
  try {
    const fd = openSync(source, 'r');
    try {
      return readSync(fd, pool, 0, pool.length, null) === pool.length;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
