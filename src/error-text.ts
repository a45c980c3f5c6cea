import { hostname } from 'node:os';
import { longestCredentials, withoutCredentials } from './credentials.js';
import type { ErrorText } from './failed-jobs.js';

/** The parts of a thrown value that are kept and shown. */
export interface DescribedError {
  readonly class: string;
  readonly message: string;
  readonly code?: string;
  readonly stack: string;
  readonly causes: readonly ErrorText[];
}

const maxMessageLength = 8_192;
const maxStackLength = 32_768;
const maxCauses = 5;

/** The class of an error with its code, as one text that any store can keep: `Error [ECONNREFUSED]`. */
export function classWithCode({ class: name, code }: ErrorText): string {
  return code === undefined || name.endsWith(` [${code}]`) ? name : `${name} [${code}]`;
}

/** The two parts of what {@link classWithCode} made. */
export function partsOfClass(text: string): { readonly class: string; readonly code?: string } {
  const parts = /^(.+) \[([\w./-]{1,64})\]$/s.exec(text);
  return parts ? { class: parts[1] as string, code: parts[2] as string } : { class: text };
}

/** The host name of this machine, for records and heartbeats. */
export const host = hostname();

/**
 * Text of whatever a handler threw. Cannot throw itself, whatever getters and proxies do, and reads
 * nothing but name, code, message, stack and cause: other properties may hold secrets. Credentials of URLs in them
 * are left out.
 *
 * Values that are no errors get the class `NonErrorThrown`. Message and stack are cut at 8 KB and 32 KB,
 * and the cause chain at five.
 */
export function describeError(thrown: unknown): DescribedError {
  const causes: ErrorText[] = [];
  let cause = read(thrown, 'cause');
  for (let depth = 0; depth < maxCauses && cause !== undefined; depth++) {
    causes.push({ class: className(cause), message: messageOf(cause), ...codeOf(cause) });
    cause = read(cause, 'cause');
  }
  const message = messageOf(thrown);
  const stack = isError(thrown) ? read(thrown, 'stack') : undefined;
  return {
    class: className(thrown),
    message,
    ...codeOf(thrown),
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

/** The code in the common form of codes; what looks otherwise may be anything. */
function codeOf(thrown: unknown): { code?: string } {
  const code = read(thrown, 'code');
  if (typeof code !== 'string' && !Number.isSafeInteger(code)) return {};
  const text = String(code);
  return /^[\w./-]{1,64}$/.test(text) ? { code: text } : {};
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
  // Credentials go before the cut, which could leave the first half of a password.
  const shown = withoutCredentials(text.slice(0, length + longestCredentials)).slice(0, length);
  return (text.length > length ? `${shown}… (${text.length} characters)` : shown)
    .replaceAll('\0', '\\0')
    .toWellFormed();
}
