import { type Backoff, backoffRule } from './backoff.js';
import { dataJson } from './data-json.js';
import { QueueError } from './errors.js';
import { assertJsonSafe } from './json-safety.js';
import { checkWireName } from './names.js';
import { asTraceContext, type TraceContext } from './tracing.js';
import type { WireFormat } from './wire-format.js';

/**
 * The decoded body of a job: think-queue 3's fields, then ours. `id` and `attempts` stand last in the
 * encoded text, where a store that keeps them inside the text can find them.
 */
export interface Payload {
  /** The wire name, with `@method` where one method of a class is meant. */
  readonly job: string;
  /** Deliveries allowed; null leaves it to the job's definition and the worker, 0 sets no limit. */
  readonly maxTries: number | null;
  /** Longest run of one attempt in seconds; null leaves it to the definition and the worker, 0 sets no limit. */
  readonly timeout: number | null;
  /** When trying ends, in seconds since the epoch, where the job has such a time: think-queue's field. */
  readonly timeoutAt?: number;
  /** How many attempts may end with a thrown error, where the push said so: Laravel's field. 0 sets no limit. */
  readonly maxExceptions?: number;
  readonly data: unknown;
  /** Wait after a failed attempt, where the push asked for one. */
  readonly backoff?: Backoff;
  /** Where its push stands in a trace, where somebody traces: `traceparent` and `tracestate` of W3C Trace Context. */
  readonly trace?: TraceContext;
  /** When the job was due first, in ms since the epoch by the pusher's clock. PHP's payloads have no such time. */
  readonly dueAt?: number;
  readonly id: string;
}

/** Stands in for the name of a job whose payload cannot be read. No job can have such a name. */
export const unreadable = '(unreadable)';

/** What a body turned out to be: a payload, or the reason why it is none. */
export type Decoded = { readonly payload: Payload } | { readonly problem: string };

/** What the payloads of an encoder have in common. */
type SharedFields = Omit<Payload, 'data' | 'id' | 'dueAt'>;

/** Encodes jobs that differ in their data, their ids and the time when they are due first only. */
export type PayloadEncoder = (data: unknown, id: string, dueAt: number | undefined) => string;

/**
 * Makes the text that is stored for jobs.
 *
 * @param wire the connection's form. Default: think-queue 3's.
 * @returns what throws QueueError `E_PAYLOAD_INVALID` for data that JSON would change, `E_PAYLOAD_TOO_LARGE`, and what
 * the `encode` of the form throws.
 */
export function payloadEncoder(
  fields: SharedFields,
  maxBytes: number,
  wire?: Pick<WireFormat, 'encode'>,
): PayloadEncoder {
  const encode: PayloadEncoder = wire
    ? (data, id, dueAt) => wire.encode({ ...fields, ...(dueAt !== undefined && { dueAt }), data, id })
    : thinkQueue3Encoder(fields);
  return (data, id, dueAt) => {
    assertJsonSafe(data);
    const body = encode(data, id, dueAt);
    // Those of think-queue 3 are ASCII.
    const bytes = wire ? Buffer.byteLength(body) : body.length;
    if (bytes <= maxBytes) return body;
    const what = `job ${fields.job}: ${bytes} bytes exceed the ${maxBytes} allowed`;
    throw new QueueError('E_PAYLOAD_TOO_LARGE', what, {
      fix: 'Store the bulk elsewhere and push a reference to it, or raise maxPayloadBytes.',
    });
  };
}

/** The text that is stored for one job, see {@link payloadEncoder}. */
export function encodePayload(
  { data, id, dueAt, ...fields }: Payload,
  maxBytes: number,
  wire?: Pick<WireFormat, 'encode'>,
): string {
  return payloadEncoder(fields, maxBytes, wire)(data, id, dueAt);
}

/**
 * Wire format think-queue 3.x: `job, maxTries, timeout, data, …, id, attempts`. It ignores the fields that it does not
 * know. In ASCII, as PHP writes it: tables and terminals of any character set take it.
 */
export function encodeThinkQueue3({ data, id, dueAt, ...fields }: Payload): string {
  return thinkQueue3Encoder(fields)(data, id, dueAt);
}

/** What stands before the data and behind it is written once. */
function thinkQueue3Encoder(fields: SharedFields): PayloadEncoder {
  const { job, maxTries, timeout, timeoutAt, backoff, maxExceptions, trace } = fields;
  const head = JSON.stringify({ job, maxTries, timeout, timeoutAt }).slice(0, -1);
  const rest = JSON.stringify({ backoff, maxExceptions, ...trace }).slice(1, -1);
  const tail = rest === '' ? '' : `,${rest}`;
  const [headOfData, tailToId] = [`${head},"data":`, `${tail},"id":`];
  return (data, id, dueAt) => {
    const start = data === undefined ? head : headOfData + dataJson(data);
    const toId = dueAt === undefined ? tailToId : `${tail},"dueAt":${dueAt},"id":`;
    // Nearly all ids need no escapes.
    const idJson = /^[\w.:-]*$/.test(id) ? `"${id}"` : JSON.stringify(id);
    // Joined, which makes one piece of it: added up it would stay in pieces, whose bytes are counted several times as slowly.
    return inAscii([start, toId, idJson, ',"attempts":0}'].join(''));
  };
}

/** JSON with everything beyond ASCII as `\\uXXXX`. Only strings hold such characters. */
function inAscii(json: string): string {
  if (Buffer.byteLength(json) === json.length) return json;
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Reads a body of think-queue 3.x. Never throws: what cannot be run is told as `problem`. */
export function decodeThinkQueue3(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return { problem: `the payload is not JSON (${error instanceof Error ? error.message : 'unreadable'})` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'the payload is not a JSON object' };
  }
  return payloadFrom(value as Record<string, unknown>);
}

/**
 * Checks the fields of a decoded body, by their names in think-queue 3 and ours; others are passed over. For wire
 * formats that have read them, or made them of others. Never throws.
 */
export function payloadFrom(record: Record<string, unknown>): Decoded {
  const {
    job,
    maxTries = null,
    timeout = null,
    timeoutAt = null,
    data = null,
    backoff,
    maxExceptions = null,
    dueAt,
    id = '',
  } = record;
  try {
    checkWireName(job);
    if (backoff !== undefined) backoffRule(backoff as Backoff, 'backoff');
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (!isLimit(maxTries)) return noLimit('maxTries');
  if (!isLimit(timeout)) return noLimit('timeout');
  if (!isLimit(timeoutAt)) return noLimit('timeoutAt');
  if (!isLimit(maxExceptions)) return noLimit('maxExceptions');
  const known = typeof id === 'string' ? id : typeof id === 'number' ? String(id) : '';
  // Not by spreading: each delivery makes one, and most have no more than these.
  const payload: { -readonly [Key in keyof Payload]: Payload[Key] } = {
    job: job as string,
    maxTries,
    timeout,
    data,
    id: known,
  };
  const trace = asTraceContext(record);
  if (timeoutAt !== null) payload.timeoutAt = timeoutAt;
  if (backoff !== undefined) payload.backoff = backoff as Backoff;
  if (maxExceptions !== null) payload.maxExceptions = maxExceptions;
  if (trace) payload.trace = trace;
  if (isLimit(dueAt) && dueAt !== null) payload.dueAt = dueAt;
  return { payload };
}

function noLimit(name: string): Decoded {
  return { problem: `${name} in the payload is neither null nor a number from 0 up` };
}

function isLimit(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0);
}

const headUpToEnd =
  /^(\{"job":"(?:[^"\\]|\\.){1,500}","maxTries":(?:null|\d+),"timeout":(?:null|\d+(?:\.\d+)?),"timeoutAt":)(\d{1,12})(?=,)/;
const tailFromDue = /("dueAt":)(\d{1,16})(,"id":"[\w.:-]{1,64}","attempts":\d+\})$/;

/**
 * The body of a job that starts over, where its end time is past: the job gets the same time again, counted from
 * now; where it is not known how long that was (PHP says no more than the end), it has no end time any more. All
 * else stays byte for byte. Answers undefined where nothing is to be changed.
 */
export function withTimeToTry(body: string, nowMs: number): string | undefined {
  const end = headUpToEnd.exec(body);
  if (!end || Number(end[2]) * 1000 > nowMs) return undefined;
  const due = tailFromDue.exec(body.slice(-300));
  const spanMs = due ? Number(end[2]) * 1000 - Number(due[2]) : 0;
  const renewed = (end[1] as string) + (spanMs > 0 ? Math.ceil((nowMs + spanMs) / 1000) : null);
  const rest = body.slice(end[0].length);
  return due ? renewed + rest.slice(0, -due[0].length) + due[1] + nowMs + due[3] : renewed + rest;
}
