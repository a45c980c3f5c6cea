import { randomUUID } from 'node:crypto';
import {
  type Backoff,
  type Decoded,
  durationToMs,
  encodePhpJson,
  nativeFormat,
  type Payload,
  type PhpValue,
  payloadFrom,
  QueueError,
  type WireFormat,
} from '../../../src/index.js';

/**
 * think-queue 3's rows: its payload without `id` and `attempts`, which are columns. What a push asks for beyond that
 * stands at the end, where PHP pays no heed to it.
 */
export const thinkQueue3Rows: WireFormat = {
  name: 'think-3',
  keepsIds: false,
  encode({ job, maxTries, timeout, timeoutAt, data, ...more }) {
    const limits = {
      maxTries,
      timeout: wholeSeconds(timeout),
      ...(timeoutAt !== undefined && { timeoutAt }),
    };
    return encoded({ job, ...limits, data, ...ownOf(more) });
  },
  decode: (body) => nativeFormat.decode(body),
};

/** think-queue 1's and 2's rows: `job` and `data`, and at the end what a push asks for beyond that. */
export const thinkQueue1Rows: WireFormat = {
  name: 'think-1',
  keepsIds: false,
  encode({ job, maxTries, timeout, timeoutAt, data, ...more }) {
    const limits = {
      ...(maxTries !== null && { maxTries }),
      ...(timeout !== null && { timeout: wholeSeconds(timeout) }),
      ...(timeoutAt !== undefined && { timeoutAt }),
    };
    return encoded({ job, data, ...limits, ...ownOf(more) });
  },
  decode: (body) => nativeFormat.decode(body),
};

/**
 * Laravel's rows of jobs by their name, as versions 10 to 13 write and read them.
 *
 * @param now ms since the epoch, for `createdAt` and `delay`.
 */
export function laravelRows(now: () => number = Date.now): WireFormat {
  return {
    name: 'laravel',
    keepsIds: false,
    encode: (payload) => encoded(laravelFields(payload, now())),
    decode: decodeLaravel,
  };
}

/** In ASCII: PHP's tables may be of MySQL's three-byte `utf8`, which takes no emoji. */
function encoded(fields: object): string {
  return encodePhpJson(fields as PhpValue); // data was found to be plain JSON
}

type Own = Pick<Payload, 'backoff' | 'maxExceptions' | 'trace'>;

function ownOf({ backoff, maxExceptions, trace }: Own): object {
  return {
    ...(backoff !== undefined && { backoff }),
    ...(maxExceptions !== undefined && { maxExceptions }),
    ...trace,
  };
}

/** PHP takes no part of a second. */
function wholeSeconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.ceil(seconds);
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

function laravelFields(payload: Payload, nowMs: number): object {
  const { job, maxTries, timeout, timeoutAt, data, backoff, maxExceptions, trace, id } = payload;
  const delay = Math.ceil(((payload.dueAt ?? nowMs) - nowMs) / 1000);
  return {
    uuid: uuid.test(id) ? id : randomUUID(),
    displayName: job.split('@')[0],
    job,
    maxTries,
    maxExceptions: maxExceptions ?? null,
    failOnTimeout: false,
    backoff: backoff === undefined ? null : secondsOf(backoff),
    timeout: wholeSeconds(timeout),
    ...(timeoutAt !== undefined && { retryUntil: timeoutAt }),
    data,
    createdAt: Math.floor(nowMs / 1000),
    delay: delay > 0 ? delay : null,
    ...trace,
  };
}

/** A number of seconds, or several with commas between them. */
function secondsOf(backoff: Backoff): number | string {
  if (backoff === 'exponential' || (typeof backoff === 'object' && 'type' in backoff)) {
    throw new QueueError('E_UNSUPPORTED', "backoff: a growing one has no place in Laravel's payload", {
      fix: 'Write a span or a list of spans, or set it in the definition of the job.',
    });
  }
  const spans = Array.isArray(backoff) ? backoff : [backoff];
  const seconds = spans.map((span) => Math.ceil(durationToMs(span, 'backoff') / 1000));
  return seconds.length === 1 ? (seconds[0] as number) : seconds.join(',');
}

function decodeLaravel(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return nativeFormat.decode(body); // which says what is wrong
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return nativeFormat.decode(body);
  const { uuid: id, retryUntil, backoff, maxExceptions, createdAt, delay, ...fields } = value as Fields;
  return payloadFrom({
    ...fields,
    id,
    timeoutAt: retryUntil,
    backoff:
      typeof backoff === 'string' && backoff !== '' ? backoff.split(',').map(Number) : backoff || undefined,
    ...(maxExceptions !== null && { maxExceptions }),
    ...(typeof createdAt === 'number' && { dueAt: (createdAt + (Number(delay) || 0)) * 1000 }),
  });
}

type Fields = Readonly<Record<string, unknown>>;
