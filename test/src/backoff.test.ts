import { describe, expect, test } from 'vitest';
import { type Backoff, type BackoffRule, backoffMs, backoffRule, exponential } from '../../src/backoff.js';

/** The middle of the spread: no jitter at all. */
const middle = 0.5;

function waits(backoff: Backoff, attempts: readonly number[], random = middle): number[] {
  const rule = backoffRule(backoff, 'backoff');
  return attempts.map((attempt) => backoffMs(rule, attempt, random));
}

describe('a list of waits', () => {
  test.each<[Backoff, number[]]>([
    [5, [5000, 5000, 5000, 5000]],
    ['250ms', [250, 250, 250, 250]],
    [0, [0, 0, 0, 0]],
    [['1s'], [1000, 1000, 1000, 1000]],
    [
      [1, '5s', 10],
      [1000, 5000, 10_000, 10_000],
    ],
    [
      ['3s', 0],
      [3000, 0, 0, 0],
    ],
  ])('%j waits %j ms', (backoff, expected) => {
    expect(waits(backoff, [1, 2, 3, 1000])).toEqual(expected);
  });

  test('is not spread', () => {
    expect(waits(10, [1], 0)).toEqual([10_000]);
    expect(waits(10, [1], 0.999)).toEqual([10_000]);
  });
});

describe('a growing wait', () => {
  test('by itself doubles from one second to an hour', () => {
    const attempts = [1, 2, 3, 4, 12, 13, 14, 1e6];
    const expected = [1000, 2000, 4000, 8000, 2_048_000, 3_600_000, 3_600_000, 3_600_000];
    expect(waits('exponential', attempts)).toEqual(expected);
    expect(waits(exponential(), attempts)).toEqual(expected);
    expect(waits({ type: 'exponential', base: '1s' }, attempts)).toEqual(expected);
  });

  test.each<[string, Backoff, number[]]>([
    ['its base', exponential('100ms'), [100, 200, 400]],
    ['its factor', exponential('1s', { factor: 3 }), [1000, 3000, 9000]],
    ['a factor of one', exponential('1s', { factor: 1 }), [1000, 1000, 1000]],
    ['its most', exponential('1s', { max: '3s' }), [1000, 2000, 3000]],
    ['a most below its base', exponential('10s', { max: '3s' }), [3000, 3000, 3000]],
  ])('keeps %s', (_, backoff, expected) => {
    expect(waits(backoff, [1, 2, 3])).toEqual(expected);
  });

  test.each<[boolean | number | undefined, number, number]>([
    [undefined, 800, 1200],
    [true, 800, 1200],
    [false, 1000, 1000],
    [0, 1000, 1000],
    [0.5, 500, 1500],
    [1, 0, 2000],
  ])('with jitter %s is spread from %d to %d ms', (jitter, least, most) => {
    const backoff = exponential('1s', jitter === undefined ? {} : { jitter });
    expect(waits(backoff, [1], 0)).toEqual([least]);
    expect(waits(backoff, [1], middle)).toEqual([1000]);
    expect(waits(backoff, [1], 1 - Number.EPSILON)).toEqual([most]);
  });

  test('is a whole number of ms between 0 and the spread maximum, and grows, for every attempt', () => {
    for (const base of ['1ms', '1s', '7h'] as const) {
      for (const factor of [1, 1.1, 2, 1000]) {
        const rule = backoffRule(exponential(base, { factor, max: '1h' }), 'backoff');
        let before = 0;
        for (let attempt = 1; attempt <= 3000; attempt += 7) {
          const wait = backoffMs(rule, attempt, middle);
          expect(Number.isSafeInteger(wait) && wait >= before && wait <= 3_600_000).toBe(true);
          expect(backoffMs(rule, attempt, 1)).toBeLessThanOrEqual(4_320_000);
          before = wait;
        }
      }
    }
  });

  test('from nothing stays nothing, however often the job was tried', () => {
    const rule: BackoffRule = backoffRule(exponential(0), 'backoff');
    for (const attempt of [1, 2, 1024, 1025, 5000]) expect(backoffMs(rule, attempt, middle)).toBe(0);
  });
});

describe('a backoff is refused', () => {
  test.each<[unknown, string]>([
    [[], 'an empty list'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [{}, '{}'],
    [{ type: 'linear', base: 1 }, 'linear'],
    [{ type: 'exponential', base: 1, factor: 0.5 }, 'backoff.factor: 0.5'],
    [{ type: 'exponential', base: 1, factor: -2 }, 'backoff.factor: -2'],
    [{ type: 'exponential', base: 1, factor: Number.NaN }, 'backoff.factor: NaN'],
    [{ type: 'exponential', base: 1, jitter: -0.1 }, 'backoff.jitter: -0.1'],
    [{ type: 'exponential', base: 1, jitter: 1.1 }, 'backoff.jitter: 1.1'],
    [{ type: 'exponential', base: 1, jitter: 'much' }, 'backoff.jitter: much'],
  ])('when it is %j', (backoff, named) => {
    expect(() => backoffRule(backoff as Backoff, 'backoff')).toThrow(
      expect.objectContaining({
        code: 'E_CONFIG',
        message: expect.stringContaining(named),
        fix: expect.stringContaining("exponential('1s'"),
      }),
    );
  });

  test.each<[unknown, string]>([
    ['5 min', 'backoff: '],
    ['exponental', 'backoff: '],
    [-1, 'backoff: '],
    [['1s', '2s', 'soon'], 'backoff[2]: '],
    [{ type: 'exponential' }, 'backoff.base: '],
    [{ type: 'exponential', base: 'x' }, 'backoff.base: '],
    [{ type: 'exponential', base: 1, max: -1 }, 'backoff.max: '],
  ])('when a span in %j is none, naming it', (backoff, named) => {
    expect(() => backoffRule(backoff as Backoff, 'backoff')).toThrow(
      expect.objectContaining({ code: 'E_DURATION', message: expect.stringContaining(named) }),
    );
  });
});
