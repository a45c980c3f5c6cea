import { expect, test } from 'vitest';
import { Histogram, relativeError, type TimeSummary } from '../../src/histogram.js';

/** The same numbers with each run: a test that fails shall fail again. */
function* draws(): Generator<number, never> {
  for (let state = 12_345; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    yield state / 0x80000000;
  }
}

const random = draws();
const draw = (): number => random.next().value;

/** Times between 20 µs and a day, of all sizes alike; up to 300 of them. */
function times(): number[] {
  return Array.from({ length: 1 + Math.floor(draw() * 300) }, () => 0.02 * 4_320_000_000 ** draw());
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function summaryOf(values: readonly number[]): TimeSummary {
  return histogramOf(values).summary() as TimeSummary;
}

/** The percentile as it is defined: the smallest value that so large a part does not exceed. */
function exact(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(part * sorted.length) - 1] as number;
}

test('percentiles are within the error that is promised, mean and longest are exact', () => {
  for (let round = 0; round < 300; round++) {
    const values = times();
    const { count, meanMs, maxMs, ...percentiles } = summaryOf(values);
    expect(count).toBe(values.length);
    expect(Math.abs(maxMs - Math.max(...values))).toBeLessThanOrEqual(0.001);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(meanMs - mean)).toBeLessThanOrEqual(0.001 + mean * 1e-9);
    for (const [told, part] of [
      [percentiles.p50Ms, 0.5],
      [percentiles.p95Ms, 0.95],
      [percentiles.p99Ms, 0.99],
    ] as const) {
      const truth = exact(values, part);
      // A thousandth of a millisecond is lost in rounding.
      expect(Math.abs(told - truth)).toBeLessThanOrEqual(truth * relativeError * 1.0001 + 0.001);
    }
  }
});

test('histograms of many processes add up to that of all, also through their text', () => {
  for (let round = 0; round < 100; round++) {
    const parts = Array.from({ length: 1 + (round % 5) }, times);
    const merged = new Histogram();
    for (const part of parts) {
      const read = Histogram.fromData(JSON.parse(JSON.stringify(histogramOf(part).toData())));
      merged.add(read as Histogram);
    }
    const { meanMs, maxMs, ...rest } = merged.summary() as TimeSummary;
    const whole = summaryOf(parts.flat());
    expect(Math.abs(meanMs - whole.meanMs)).toBeLessThanOrEqual(0.002 + whole.meanMs * 1e-9);
    expect(Math.abs(maxMs - whole.maxMs)).toBeLessThanOrEqual(0.002);
    expect(rest.count).toBe(whole.count);
    expect(Math.abs(rest.p95Ms - whole.p95Ms)).toBeLessThanOrEqual(0.002);
  }
});

test('whatever is recorded, the size has a bound', () => {
  const histogram = new Histogram();
  for (let exponent = -320; exponent < 308; exponent += 0.001) histogram.record(10 ** exponent);
  histogram.record(Number.POSITIVE_INFINITY);
  const data = histogram.toData();
  expect(data.length).toBeLessThanOrEqual(2 + 2 * 300);
  expect(JSON.stringify(data).length).toBeLessThan(4000);
  expect(histogram.summary()?.maxMs).toBe(7_776_000_000);
});

test('a time below zero, of a clock that is behind, counts as none; so does what is no number', () => {
  expect(summaryOf([-5000, Number.NaN])).toEqual({
    count: 2,
    meanMs: 0,
    p50Ms: 0,
    p95Ms: 0,
    p99Ms: 0,
    maxMs: 0,
  });
  expect(new Histogram().summary()).toBeNull();
});

test.each([[null], ['x'], [[1]], [[1, 2, 3]], [[1, -2]], [[1, 2, '3', 4]], [[1, Number.NaN]]])(
  'what is no histogram is not read: %j',
  (data) => {
    expect(Histogram.fromData(data)).toBeUndefined();
  },
);
