import { hostname } from 'node:os';
import type { ErrorText } from './failed-jobs.js';

/** The parts of a thrown value that are kept and shown. */
export interface DescribedError {
  readonly class: string;
  readonly message: string;
  readonly stack: string;
  readonly causes: readonly ErrorText[];
}

const maxMessageLength = 8_192;
const maxStackLength = 32_768;
const maxCauses = 5;

/** The host name of this machine, for records and heartbeats. */
export const host = hostname();

/**
 * Text of whatever a handler threw. Cannot throw itself, whatever getters and proxies do, and reads
 * nothing but name, message, stack and cause: other properties may hold secrets.
 *
 * Values that are no errors get the class `NonErrorThrown`. Message and stack are cut at 8 KB and 32 KB,
 * and the cause chain at five.
 */
export function describeError(thrown: unknown): DescribedError {
  const causes: ErrorText[] = [];
  let cause = read(thrown, 'cause');
  for (let depth = 0; depth < maxCauses && cause !== undefined; depth++) {
    causes.push({ class: className(cause), message: messageOf(cause) });
    cause = read(cause, 'cause');
  }
  const message = messageOf(thrown);
  const stack = isError(thrown) ? read(thrown, 'stack') : undefined;
  return {
    class: className(thrown),
    message,
    stack: typeof stack === 'string' ? bounded(stack, maxStackLength) : '',
    causes,
  };
}

function isError(thrown: unknown): boolean {
  try {
    return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';
  } catch {
    return false; // a proxy whose traps throw is no error that can be read
  }
}

function className(thrown: unknown): string {
  if (!isError(thrown)) return 'NonErrorThrown';
  const name = read(thrown, 'name');
  return typeof name === 'string' && name !== '' ? bounded(name, 200) : 'Error';
}

function messageOf(thrown: unknown): string {
  if (isError(thrown)) {
    const message = read(thrown, 'message');
    return typeof message === 'string' ? bounded(message, maxMessageLength) : '(message unreadable)';
  }
  if (typeof thrown === 'string') return bounded(thrown, maxMessageLength);
  if (typeof thrown === 'object' && thrown !== null) {
    const message = read(thrown, 'message');
    return typeof message === 'string' ? bounded(message, maxMessageLength) : '(an object without a message)';
  }
  if (typeof thrown === 'function') return '(a function)';
  return bounded(typeof thrown === 'bigint' ? `${thrown}n` : String(thrown), maxMessageLength);
}

function read(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined; // a getter that throws must not hide the failure that is being recorded
  }
}

function bounded(text: string, length: number): string {
  const clean = (text.length > length ? `${text.slice(0, length)}… (${text.length} characters)` : text)
    .replaceAll('\0', '\\0')
    .toWellFormed();
  return clean;
}
