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
} from '../../src/index.js';

/**
 * Laravel 10 to 13: a job by its name, with what Laravel writes beside it. Seconds are whole, rounded up. Jobs of
 * serialized objects keep the name of Laravel's own handler, which no one can run here.
 *
 * @param now ms since the epoch, for `createdAt` and `delay`.
 */
export function laravelFormat(now: () => number = Date.now): WireFormat {
  return {
    name: 'laravel',
    keepsIds: false,
    encode: (payload) => encodePhpJson(fieldsOf(payload, now()), { unescapedUnicode: true }),
    decode,
  };
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

function fieldsOf(payload: Payload, nowMs: number): PhpValue {
  const { job, maxTries, timeout, timeoutAt, data, backoff, trace, dueAt = nowMs, id } = payload;
  const delay = Math.ceil((dueAt - nowMs) / 1000);
  const fields = {
    uuid: uuid.test(id) ? id : randomUUID(),
    displayName: job.split('@')[0],
    job,
    maxTries,
    maxExceptions: null,
    failOnTimeout: false,
    backoff: backoff === undefined ? null : secondsOf(backoff),
    timeout: timeout === null ? null : Math.ceil(timeout),
    ...(timeoutAt !== undefined && { retryUntil: timeoutAt }),
    data,
    createdAt: Math.floor(nowMs / 1000),
    ...trace,
    id,
    attempts: 0,
    delay: delay > 0 ? delay : null,
  };
  return fields as PhpValue; // data was found to be plain JSON
}

/** A number of seconds, or several with commas between them. */
function secondsOf(backoff: Backoff): number | string {
  if (typeof backoff === 'object' && 'type' in backoff) throw growing();
  if (backoff === 'exponential') throw growing();
  const spans = Array.isArray(backoff) ? backoff : [backoff];
  const seconds = spans.map((span) => Math.ceil(durationToMs(span, 'backoff') / 1000));
  return seconds.length === 1 ? (seconds[0] as number) : seconds.join(',');
}

function growing(): QueueError {
  return new QueueError('E_UNSUPPORTED', "backoff: a growing one has no place in Laravel's payload", {
    fix: 'Write a span or a list of spans, or set it in the definition of the job.',
  });
}

function decode(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return nativeFormat.decode(body); // says what is wrong
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return nativeFormat.decode(body);
  const { retryUntil, backoff, createdAt, delay, ...fields } = value as Record<string, unknown>;
  return payloadFrom({
    ...fields,
    timeoutAt: retryUntil,
    backoff: backoffOf(backoff),
    ...(typeof createdAt === 'number' && { dueAt: (createdAt + (Number(delay) || 0)) * 1000 }),
  });
}

/** Before the first comma, the wait after the first failed attempt. */
function backoffOf(backoff: unknown): unknown {
  if (backoff === null || backoff === '') return undefined;
  return typeof backoff === 'string' ? backoff.split(',').map(Number) : backoff;
}
