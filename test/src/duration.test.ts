import { describe, expect, test } from 'vitest';
import { type Duration, durationToMs } from '../../src/index.js';

describe('a duration', () => {
  test.each<[Duration | string, number]>([
    [0, 0],
    ['0s', 0],
    [1, 1000],
    [90, 90_000],
    [1.5, 1500],
    [0.25, 250],
    ['1ms', 1],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['5 m', 300_000],
    [' 5m ', 300_000],
    // A rounded number, never a fraction of a millisecond.
    [0.0014, 1],
    ['1.6ms', 2],
    // The longest one.
    ['3660d', 316_224_000_000],
  ])('%j is %d ms', (value, ms) => {
    expect(durationToMs(value as Duration, 'delay')).toBe(ms);
  });

  test.each<[unknown]>([
    [-1],
    ['-5s'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [''],
    ['s'],
    ['abc'],
    ['5 min'],
    ['5minutes'],
    ['5M'],
    ['5S'],
    ['.5s'],
    ['5.s'],
    ['1,5s'],
    ['1e3s'],
    ['0x10'],
    ['5s 3s'],
    ['٣s'],
    [null],
    [undefined],
    [true],
    [[]],
    [{}],
    [1n],
    [Symbol('s')],
  ])('%o is refused, and the error names the setting and the remedy', (value) => {
    expect(() => durationToMs(value as Duration, 'the timeout')).toThrow(
      expect.objectContaining({
        name: 'QueueError',
        code: 'E_DURATION',
        message: expect.stringMatching(/^the timeout: .* is not a time span$/s),
        fix: expect.stringContaining("'30s'"),
      }),
    );
  });

  test('a value that cannot be shown as text is refused all the same', () => {
    for (const value of [Object.create(null), { toString: null }]) {
      expect(() => durationToMs(value, 'timeout')).toThrow(expect.objectContaining({ code: 'E_DURATION' }));
    }
  });

  test.each<[Duration]>([[316_224_001], [1_700_000_000_000], ['3661d'], ['99999999999999999999d']])(
    '%j is longer than ten years: milliseconds, or a timestamp, given as seconds',
    (value) => {
      expect(() => durationToMs(value, 'delay')).toThrow(
        expect.objectContaining({
          code: 'E_DURATION',
          message: expect.stringContaining('longer than ten years'),
        }),
      );
    },
  );

  test('a Date is told where it belongs', () => {
    expect(() => durationToMs(new Date(0) as never, 'delay')).toThrow(
      expect.objectContaining({ code: 'E_DURATION', fix: expect.stringContaining('`at`') }),
    );
  });

  test('the remedy for a number that is too long is one that would pass', () => {
    expect(() => durationToMs(1_700_000_000_000, 'delay')).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("'1700000000000ms'") }),
    );
    expect(() => durationToMs('9999d', 'delay')).toThrow(
      expect.objectContaining({ fix: expect.not.stringContaining('9999dms') }),
    );
  });
});
