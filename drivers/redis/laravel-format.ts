import {
  decodeLaravel,
  encodePhpJson,
  laravelFields,
  type PhpValue,
  type WireFormat,
} from '../../src/index.js';

/**
 * Laravel 10 to 13: a job by its name, with what Laravel writes beside it. Jobs of serialized objects keep the name of
 * Laravel's own handler, which no one can run here.
 *
 * @param now ms since the epoch, for `createdAt` and `delay`.
 */
export function laravelFormat(now: () => number = Date.now): WireFormat {
  return {
    name: 'laravel',
    keepsIds: false,
    encode(payload) {
      const { fields, delay } = laravelFields(payload, now());
      const all = { ...fields, ...payload.trace, id: payload.id, attempts: 0, delay };
      return encodePhpJson(all as PhpValue, { unescapedUnicode: true }); // data was found to be plain JSON
    },
    decode: decodeLaravel,
  };
}
