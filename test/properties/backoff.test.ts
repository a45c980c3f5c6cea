import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, backoffRule, exponential } from '../../src/backoff.js';
import { type Duration, durationToMs } from '../../src/duration.js';

const attempt = fc.integer({ min: 1, max: 10_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const ms = fc.nat({ max: 7 * 24 * 3_600_000 });
const growing = fc.record({
  base: ms.map((span): Duration => `${span}ms`),
  max: ms.map((span): Duration => `${span}ms`),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});

test('a growing wait never shrinks, begins at its base and stays below its most', () => {
  fc.assert(
    fc.property(growing, attempt, ({ base, ...options }, number) => {
      const rule = backoffRule(exponential(base, { ...options, jitter: false }), 'backoff');
      const [wait, next] = [backoffMs(rule, number, 0), backoffMs(rule, number + 1, 0)];
      const [baseMs, mostMs] = [durationToMs(base, 'base'), durationToMs(options.max, 'max')];
      expect(Number.isSafeInteger(wait)).toBe(true);
      expect(wait).toBeLessThanOrEqual(next);
      expect(next).toBeLessThanOrEqual(mostMs);
      expect(wait).toBeGreaterThanOrEqual(Math.min(baseMs, mostMs));
    }),
  );
});

test('a wait is spread around its middle by the jitter and no further', () => {
  fc.assert(
    fc.property(growing, attempt, random, ({ base, ...options }, number, drawn) => {
      const rule = backoffRule(exponential(base, options), 'backoff');
      const middle = backoffMs(
        backoffRule(exponential(base, { ...options, jitter: false }), 'backoff'),
        number,
        0,
      );
      const wait = backoffMs(rule, number, drawn);
      // Both are rounded to whole milliseconds.
      expect(Math.abs(wait - middle)).toBeLessThanOrEqual(middle * options.jitter + 1.5);
      expect(wait).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('of a list the wait at the place of the attempt is taken, and the last one from there on', () => {
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 20 }), attempt, random, (list, number, drawn) => {
      const rule = backoffRule(
        list.map((span): Duration => `${span}ms`),
        'backoff',
      );
      expect(backoffMs(rule, number, drawn)).toBe(list[number - 1] ?? list.at(-1));
    }),
  );
});

test('a time span means the same in every unit that can say it', () => {
  const spans = [
    ['s', 1000],
    ['m', 60_000],
    ['h', 3_600_000],
    ['d', 86_400_000],
  ] as const;
  fc.assert(
    fc.property(fc.nat({ max: 3650 }), fc.constantFrom(...spans), (count, [unit, unitMs]) => {
      const inMs = durationToMs(`${count * unitMs}ms`, 'span');
      expect(durationToMs(`${count}${unit}`, 'span')).toBe(inMs);
      expect(durationToMs((count * unitMs) / 1000, 'span')).toBe(inMs);
    }),
  );
});

test('any text or number is a time span in whole milliseconds, or refused as none', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.double(),
    fc.tuple(fc.double(), fc.string({ maxLength: 2 })).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(anything, (value) => {
      try {
        const span = durationToMs(value as Duration, 'span');
        expect(Number.isSafeInteger(span) && span >= 0).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_DURATION' });
      }
    }),
  );
});
