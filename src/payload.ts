import { type Backoff, backoffRule } from './backoff.js';
import { QueueError } from './errors.js';
import { assertJsonSafe } from './json-safety.js';
import { checkWireName } from './names.js';

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
  readonly data: unknown;
  /** Wait after a failed attempt, where the push asked for one. */
  readonly backoff?: Backoff;
  readonly id: string;
}

/** What a body turned out to be: a payload, or the reason why it is none. */
export type Decoded = { readonly payload: Payload } | { readonly problem: string };

/**
 * The text that is stored for a job. Wire format: think-queue 3.x (`job, maxTries, timeout, data, …, id,
 * attempts`), which ignores the fields that it does not know. In ASCII, as PHP writes it: tables and terminals of
 * any character set take it.
 *
 * @throws QueueError `E_PAYLOAD_INVALID` for data that JSON would change, `E_PAYLOAD_TOO_LARGE`.
 */
export function encodePayload(payload: Payload, maxBytes: number): string {
  assertJsonSafe(payload.data);
  const { job, maxTries, timeout, data, backoff, id } = payload;
  const body = inAscii(JSON.stringify({ job, maxTries, timeout, data, backoff, id, attempts: 0 }));
  const bytes = body.length;
  if (bytes > maxBytes) {
    throw new QueueError('E_PAYLOAD_TOO_LARGE', `job ${job}: ${bytes} bytes exceed the ${maxBytes} allowed`, {
      fix: 'Store the bulk elsewhere and push a reference to it, or raise maxPayloadBytes.',
    });
  }
  return body;
}

/** JSON with everything beyond ASCII as `\\uXXXX`. Only strings hold such characters. */
function inAscii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Reads a body. Never throws: what cannot be run is told as `problem`. */
export function decodePayload(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return { problem: `the payload is not JSON (${error instanceof Error ? error.message : 'unreadable'})` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'the payload is not a JSON object' };
  }
  return decodeFields(value as Record<string, unknown>);
}

function decodeFields(record: Record<string, unknown>): Decoded {
  const { job, maxTries = null, timeout = null, data = null, backoff, id = '' } = record;
  try {
    checkWireName(job);
    if (backoff !== undefined) backoffRule(backoff as Backoff, 'backoff');
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (!isLimit(maxTries))
    return { problem: 'maxTries in the payload is neither null nor a number from 0 up' };
  if (!isLimit(timeout)) return { problem: 'timeout in the payload is neither null nor a number from 0 up' };
  const payload = {
    job: job as string,
    maxTries,
    timeout,
    data,
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : '',
  };
  return { payload: backoff === undefined ? payload : { ...payload, backoff: backoff as Backoff } };
}

function isLimit(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0);
}
