import { isUtf8 } from 'node:buffer';
import type { FailedJob } from '../../src/index.js';
import { shownBytes } from '../redis/raw-bytes.js';
import { readMember } from './member.js';
import { parsePackage } from './package-text.js';

/**
 * A package that PHP gave up, as the failed-job commands show it. webman notes no more than the message of the error;
 * the time is that of the push, as nobody knows another.
 *
 * @param digest SHA-1 of the package, in hex: its uuid is made of that and stays the same.
 */
export function listedByPhp(member: Buffer, digest: string, connection: string): FailedJob {
  const payload = isUtf8(member) ? member.toString('utf8') : shownBytes(member);
  const fields = parsePackage(payload) ?? {};
  const queue = typeof fields.queue === 'string' ? fields.queue : '';
  const { error, time, attempts, max_attempts: most } = fields;
  const message = typeof error === 'string' ? error : 'webman could not read the package';
  return {
    uuid: uuidOf(digest),
    jobId: readMember(member).id,
    connection,
    queue,
    name: queue === '' ? null : queue,
    payload,
    errorClass: 'Error',
    message,
    stack: `Error: ${message}`,
    causes: [],
    attempts: Number.isSafeInteger(attempts) ? Number(attempts) : 0,
    reason: queue === '' ? 'bad-payload' : Number(attempts) > Number(most) ? 'max-tries' : 'by-handler',
    host: 'php',
    pid: 0,
    failedAtMs: Number.isSafeInteger(time) ? Number(time) * 1000 : 0,
  };
}

/** A UUID of version 8: its bits are our own. */
function uuidOf(hex: string): string {
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}
