import {
  decodeLaravel,
  encodePhpJson,
  laravelFields,
  nativeFormat,
  type Payload,
  type PhpValue,
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
    encode(payload) {
      const { fields, delay } = laravelFields(payload, now());
      return encoded({ ...fields, delay, ...payload.trace });
    },
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
