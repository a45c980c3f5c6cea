import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withAttemptsReset } from '../../drivers/database/profiles/top-level-attempts.js';
import { patched, placeOfAttempts } from '../../drivers/redis/attempts-place.js';
import { readHead, unspent } from '../../drivers/webman/package-text.js';
import { data, withAttempts } from './json.js';

const count = fc.nat({ max: 999_999_999 });

/** The text before and behind the number that is not the same in both; they differ nowhere else. */
function around(text: string, digits: number, from: number): [string, string] {
  return [text.slice(0, from), text.slice(from + String(digits).length)];
}

test('the attempts of a text are found among its own fields, and all else stays byte for byte', () => {
  fc.assert(
    fc.property(withAttempts, count, ({ text, attempts }, next) => {
      const place = placeOfAttempts(text);
      if (place === undefined) return expect.unreachable(text);
      expect(text.slice(place.start, place.end)).toBe(String(attempts));
      const other = patched(text, place, next);
      expect(around(other, next, place.start)).toEqual(around(text, attempts, place.start));
      expect(JSON.parse(other)).toEqual({ ...JSON.parse(text), attempts: next });
      const there = placeOfAttempts(other);
      expect(there && patched(other, there, attempts)).toBe(text);
    }),
  );
});

test('a retry on a PHP table resets them, and all else stays byte for byte', () => {
  fc.assert(
    fc.property(withAttempts, ({ text, attempts }) => {
      const reset = withAttemptsReset(text);
      const from = placeOfAttempts(text)?.start ?? -1;
      expect(around(reset, 0, from)).toEqual(around(text, attempts, from));
      expect(JSON.parse(reset)).toEqual({ ...JSON.parse(text), attempts: 0 });
    }),
  );
});

test('a text without attempts of its own has no place for them', () => {
  const deeper = fc.record({
    data,
    inner: fc.record({ attempts: fc.nat() }),
    text: fc.constant('"attempts":1}'),
  });
  fc.assert(
    fc.property(deeper, (value) => {
      const text = JSON.stringify(value);
      expect(placeOfAttempts(text)).toBeUndefined();
      expect(withAttemptsReset(text)).toBe(text);
    }),
  );
});

test('a webman package is as before with no attempt spent, but for the number', () => {
  const fields = { id: fc.stringMatching(/^\w{1,20}$/), time: count, delay: count, attempts: count };
  fc.assert(
    fc.property(fc.record(fields), fc.stringMatching(/^[\w-]{1,20}$/), data, (head, queue, value) => {
      const text = JSON.stringify({ ...head, queue, data: value });
      const from = readHead(text)?.attemptsFrom ?? -1;
      expect(around(unspent(text), 0, from)).toEqual(around(text, head.attempts, from));
      expect(JSON.parse(unspent(text))).toEqual({ ...JSON.parse(text), attempts: 0 });
    }),
  );
});
