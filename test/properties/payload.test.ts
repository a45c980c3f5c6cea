import fc from 'fast-check';
import { expect, test } from 'vitest';
import { think1Format } from '../../drivers/redis/think-1-format.js';
import { decodePhpJson, encodePhpJson, type Payload, type PhpValue, recodePhpJson } from '../../src/index.js';
import { decodeThinkQueue3, encodePayload, encodeThinkQueue3 } from '../../src/payload.js';
import { data } from './json.js';

const limit = fc.nat({ max: 1_000_000 });
const payload: fc.Arbitrary<Payload> = fc.record(
  {
    job: fc.stringMatching(/^[A-Za-z_][\w.:-]{0,40}$/).filter((name) => !name.includes('..')),
    maxTries: fc.option(limit),
    timeout: fc.option(limit),
    data,
    id: fc.stringMatching(/^[\w.:-]{1,64}$/),
    timeoutAt: limit,
    maxExceptions: limit,
    backoff: fc.oneof(
      limit,
      fc.array(limit, { minLength: 1, maxLength: 5 }),
      fc.record({ type: fc.constant('exponential' as const), base: limit, jitter: fc.boolean() }),
    ),
    dueAt: fc.nat(),
  },
  { requiredKeys: ['job', 'maxTries', 'timeout', 'data', 'id'] },
);

test('a payload is read as it was written, and its text is ASCII that ends in its id and attempts', () => {
  fc.assert(
    fc.property(payload, (one) => {
      const text = encodePayload(one, 10_000_000);
      expect(decodeThinkQueue3(text)).toEqual({ payload: one });
      expect(text).toMatch(/^[\0-\x7f]*$/);
      expect(text.endsWith(`,"id":"${one.id}","attempts":0}`)).toBe(true);
    }),
  );
});

test('a payload of think-queue 1 is read as it was written, but for when it was due first', () => {
  fc.assert(
    fc.property(payload, ({ dueAt, ...one }) => {
      expect(think1Format.decode(think1Format.encode(one))).toEqual({ payload: one });
    }),
  );
});

test('bytes count as they are stored: the limit is met, and one byte less is refused', () => {
  fc.assert(
    fc.property(payload, (one) => {
      const bytes = Buffer.byteLength(encodeThinkQueue3(one));
      expect(encodePayload(one, bytes)).toHaveLength(bytes);
      expect(() => encodePayload(one, bytes - 1)).toThrow(
        expect.objectContaining({ code: 'E_PAYLOAD_TOO_LARGE' }),
      );
    }),
  );
});

test('any text is read or told as a problem, and never throws', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    data.map((value) => JSON.stringify(value)),
    fc
      .dictionary(fc.constantFrom('job', 'maxTries', 'timeout', 'data', 'backoff', 'id', '__proto__'), data)
      .map((one) => JSON.stringify(one)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const decoded = decodeThinkQueue3(text);
      expect('payload' in decoded || decoded.problem.length > 0).toBe(true);
    }),
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

const options = fc.record({ unescapedUnicode: fc.boolean(), pretty: fc.boolean() });

test('JSON as PHP writes it reads back as the same data', () => {
  fc.assert(
    fc.property(data, options, (value, how) => {
      expect(JSON.parse(encodePhpJson(value as PhpValue, how))).toEqual(value);
    }),
  );
});

test('what PHP has read and written once stays as it is, byte for byte', () => {
  fc.assert(
    fc.property(data, options, (value, how) => {
      const once = recodePhpJson(JSON.stringify(value), how);
      expect(recodePhpJson(once, how)).toBe(once);
      expect(encodePhpJson(decodePhpJson(once), how)).toBe(once);
    }),
  );
});

test('whole numbers keep all their digits through PHP, up to 64 bits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (number) => {
      expect(recodePhpJson(`{"n":${number}}`)).toBe(`{"n":${number}}`);
    }),
  );
});
