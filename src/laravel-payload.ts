import type { Backoff } from './backoff.js';
import { durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { type Decoded, decodeThinkQueue3, type Payload, payloadFrom } from './payload.js';
import { randomUuid } from './random.js';

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * The fields that Laravel 10 to 13 write for a job by its name, whatever the store; seconds are whole, rounded up.
 *
 * @returns the fields up to `createdAt`, in Laravel's order, and the `delay` in seconds, whose place depends on the store.
 * @throws QueueError `E_UNSUPPORTED` for a growing backoff.
 */
export function laravelFields(
  payload: Payload,
  nowMs: number,
): { readonly fields: object; readonly delay: number | null } {
  const {
    job,
    maxTries,
    timeout,
    timeoutAt,
    data,
    backoff,
    maxExceptions = null,
    dueAt = nowMs,
    id,
  } = payload;
  const delay = Math.ceil((dueAt - nowMs) / 1000);
  const fields = {
    uuid: uuid.test(id) ? id : randomUuid(),
    displayName: job.split('@')[0],
    job,
    maxTries,
    maxExceptions,
    failOnTimeout: false,
    backoff: backoff === undefined ? null : secondsOf(backoff),
    timeout: timeout === null ? null : Math.ceil(timeout),
    ...(timeoutAt !== undefined && { retryUntil: timeoutAt }),
    data,
    createdAt: Math.floor(nowMs / 1000),
  };
  return { fields, delay: delay > 0 ? delay : null };
}

/** Reads a payload of Laravel 10 to 13. Never throws: what cannot be run is told as `problem`. */
export function decodeLaravel(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return decodeThinkQueue3(body); // says what is wrong
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return decodeThinkQueue3(body);
  const { uuid: ownId, retryUntil, backoff, createdAt, delay, ...fields } = value as Record<string, unknown>;
  return payloadFrom({
    id: ownId, // of rows, which have no other
    ...fields,
    timeoutAt: retryUntil,
    backoff: backoffOf(backoff),
    ...(typeof createdAt === 'number' && { dueAt: (createdAt + (Number(delay) || 0)) * 1000 }),
  });
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

/** Before the first comma, the wait after the first failed attempt. */
function backoffOf(backoff: unknown): unknown {
  if (backoff === null || backoff === '') return undefined;
  return typeof backoff === 'string' ? backoff.split(',').map(Number) : backoff;
}
