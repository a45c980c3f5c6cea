import { isAscii, isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { asArgument } from './argument.js';
import { tailBytes } from './dialect.js';
import { bytesShownBy, shownBytes } from './raw-bytes.js';

/** A job as it is stored: its member, and the body that had to be kept beside it. */
export interface StoredJob {
  readonly member: string;
  /** Empty where the member is the body. */
  readonly bodyKey: string;
  readonly body: string | Buffer;
}

/** What a reserved member says. */
export interface ReadMember {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  /** Errors that were counted; absent is 0. */
  readonly exceptions?: number;
  /** Why it is no job, where it is none. */
  readonly problem?: string;
  /** What its producer stored, where `body` is not just that. */
  readonly raw?: string;
  /** See `ReservedJob`: it was pushed as a member, and never taken before. */
  readonly isFoundByToken?: boolean;
}

export const pointer = /^\{"drover":"([0-9a-f]+)","id":/;
export const heldTail =
  /"lease":"([0-9a-f]{32})",(?:"drover:exceptions"\s*:\s*(\d{1,9})\s*,\s*)?("attempts"\s*:\s*)(\d+)(\s*\}\s*)$/;
export const idTail = /"id"\s*:\s*"([^"\\]*)"\s*,\s*$/;
const plainId = /^[\w.:-]{1,64}$/;

/** The id where it can be held apart from others: the scripts find such an id again in the member's tail. */
export function markableId(id: string): string {
  return plainId.test(id) ? id : '';
}

/**
 * How a body is stored. think-queue's JSON with this id and no attempt spent is the member itself; anything else
 * (another program's text, put back from the failed-job store) is kept aside, and the member points to it.
 */
export function storedJob(id: string, body: string): StoredJob {
  const isOurs = body.startsWith('{') && endsAsOurs(id, body) && plainId.test(id) && !pointer.test(body);
  if (isOurs) return { member: body, bodyKey: '', body: '' };
  return keptAside(id, body, 0);
}

/** Without making a text to compare with: each push comes by here. */
function endsAsOurs(id: string, body: string): boolean {
  const at = body.length - ours.length - id.length;
  return body.endsWith(ours) && body.startsWith(id, at) && body.endsWith(',"id":"', at);
}

const ours = '","attempts":0}';

/** A body that is kept beside the member, which points to it. @param first what `attempts` of a new job is. */
export function keptAside(id: string, body: string, first: number): StoredJob {
  const bodyKey = randomBytes(16).toString('hex');
  const member = `{"drover":"${bodyKey}","id":${JSON.stringify(id)},"attempts":${first}}`;
  return { member, bodyKey, body };
}

/** What is stored for a payload of the failed-job store, which shows bytes that are no text. */
export function retriedJob(stored: StoredJob, payload: string): StoredJob {
  return stored.bodyKey === '' ? stored : { ...stored, body: bytesShownBy(payload) ?? payload };
}

/** A member as a text, or as it is where its bytes are none. */
export function textOf(member: Buffer): string | Buffer {
  if (isAscii(member)) return member.toString('latin1'); // each character is a byte: nothing to decode
  return isUtf8(member) ? member.toString('utf8') : member;
}

/**
 * Reads a member that the reserve script has just written.
 *
 * @param member a Buffer where it is no text.
 * @param kept the body that is kept beside it, empty where there is none.
 */
export function readMember(member: string | Buffer, kept: Buffer): ReadMember {
  const isText = typeof member === 'string';
  // Where it is no text, a character stands for a byte.
  const text = isText ? member : member.toString('latin1');
  return (isText && kept.length === 0 && readFresh(text)) || readAny(text, isText, kept);
}

/** What a job has that was pushed, and never taken before: no pattern is needed. */
function readFresh(text: string): ReadMember | undefined {
  const headEnd = text.length - freshTailLength;
  const isFresh =
    text.endsWith('","attempts":1}') &&
    text.startsWith('"lease":"', headEnd) &&
    text.startsWith(',', headEnd - 1) &&
    !text.startsWith('{"drover":"');
  const id = isFresh ? idThatEnds(text, headEnd - 2) : undefined;
  if (id === undefined) return undefined;
  const body = `${text.slice(0, headEnd)}${pushedTail}`;
  return { id, body, attempts: 1, exceptions: 0, isFoundByToken: true };
}

/** The id whose closing quote stands there, if it is one without escapes and not too long. */
export function idThatEnds(text: string, end: number): string | undefined {
  const from = text.lastIndexOf('"', end - 1) + 1;
  const isId =
    text[end] === '"' && from < end && end - from <= longestId && text.startsWith('"id":"', from - 6);
  if (!isId) return undefined;
  const id = text.slice(from, end);
  return id.includes('\\') ? undefined : id;
}

/** What is longer is looked at more closely. */
const longestId = 64;
/** How a member ends that was never taken. */
export const pushedTail = '"attempts":0}';
/** Of a lease, and of the attempts behind it. */
const freshTailLength = '"lease":"0123456789abcdef0123456789abcdef","attempts":1}'.length;

function readAny(text: string, isText: boolean, kept: Buffer): ReadMember {
  const tail = heldTail.exec(text.slice(-tailBytes));
  if (tail === null) throw new Error('the reserved member has no lease');
  const [ours, token = '', thrown = '0', name = '', digits = '', rest = ''] = tail;
  const head = text.slice(0, text.length - ours.length);
  const attempts = Number(digits);
  const exceptions = Number(thrown);
  const key = pointer.exec(head.slice(0, 60))?.[1];
  if (key !== undefined && (kept.length > 0 || isPointerOnly(head))) {
    return { ...readPointer(head, key, kept, attempts, 0), exceptions };
  }
  const raw = `${head}${name}${attempts - 1}${rest}`;
  if (!isText) return { ...unreadable(Buffer.from(raw, 'latin1')), id: token, attempts };
  const body = attempts === 1 ? raw : `${head}${name}0${rest}`;
  const id = idTail.exec(head.slice(-tailBytes))?.[1] || idInText(body) || digestOf(body);
  return { id, body, attempts, exceptions, ...(attempts > 1 && { raw }) };
}

/** The text that stands for a member in a lease: the member itself, or its bytes where they are no text. */
export function handleOf(member: string | Buffer): string {
  return typeof member === 'string' ? member : `=${member.toString('base64')}`;
}

/** The member that a handle stands for. Members in the reserved set begin with a brace. */
export function memberOf(handle: string | number): string | Buffer {
  const text = String(handle);
  return text.startsWith('=') ? Buffer.from(text.slice(1), 'base64') : asArgument(text);
}

/** @param head a member up to its attempts. */
export function isPointerOnly(head: string): boolean {
  return head.length < 512 && idOfPointer(head) !== undefined;
}

function idOfPointer(head: string): string | undefined {
  const value = parsed(`${head}"attempts":0}`);
  return value !== undefined && Object.keys(value).length === 3 && typeof value.id === 'string'
    ? value.id
    : undefined;
}

/** @param first what `attempts` of a new job is. */
export function readPointer(
  head: string,
  key: string,
  kept: Buffer,
  deliveries: number,
  first: number,
): ReadMember {
  const id = idOfPointer(head) ?? key;
  if (!isUtf8(kept)) return { ...unreadable(kept), id, attempts: deliveries };
  const body = kept.toString('utf8');
  // Stored by a push or a retry: it has the id that it was given, and its attempts started anew.
  if (id !== key) return { id, body, attempts: deliveries };
  const value = parsed(body);
  const problem = value === undefined ? undefined : attemptsProblem(value.attempts);
  // The key tells two apart that are the same byte for byte; not even their ids can be relied on.
  if (problem !== undefined) return { id: key, body, attempts: deliveries, problem };
  return {
    id: idIn(value) || key,
    body,
    attempts: deliveries + Math.max(0, (Number(value?.attempts) || 0) - first),
  };
}

/** What is wrong with the `attempts` that another program wrote: think-queue loses a job without usable ones. */
function attemptsProblem(attempts: unknown): string | undefined {
  if (Number.isSafeInteger(attempts) && (attempts as number) >= 0) return undefined;
  const shown = typeof attempts === 'number' ? String(attempts) : JSON.stringify(attempts);
  const what =
    attempts === undefined ? 'is missing' : `is ${shown.slice(0, 60)}, which is no whole number from 0 up`;
  return `attempts in the payload ${what}: its producer must write how often it was delivered before, 0 for a new job`;
}

/** What is said of bytes that are no text. */
export function unreadable(bytes: Buffer): { body: string; raw: string; problem: string } {
  const problem = 'the payload is not UTF-8 text: its producer must write JSON in UTF-8';
  return { body: bytes.toString('utf8'), raw: shownBytes(bytes), problem };
}

/** The id that a payload names, or an empty text. */
export function idInText(body: string): string {
  return idIn(parsed(body));
}

function idIn(value: Record<string, unknown> | undefined): string {
  const id = value?.id;
  const text = typeof id === 'string' || typeof id === 'number' ? String(id) : '';
  return text.length <= 64 ? text : '';
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not JSON: the worker tells so from the body
  }
}

/** Stands in for the id that a body has not. Stays the same from delivery to delivery. */
export function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 32);
}
