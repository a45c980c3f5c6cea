/** How far a percentile may be off, as a share of the true value. */
export const relativeError = 0.05;

/** Each bucket ends at so many times the end of the one before: any value in it is near enough to its middle. */
const growth = (1 + relativeError) / (1 - relativeError);
const perStep = 1 / Math.log(growth);
/** Times below are told as 0; times above, some 90 days, as this. Between them lie about 275 buckets. */
const leastMs = 0.01;
const mostMs = 7_776_000_000;

/** Times of a distribution, merged from many. */
export interface TimeSummary {
  readonly count: number;
  readonly meanMs: number;
  /** Percentiles are within 5 % of the true value. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A {@link Histogram} as JSON: sum, longest, then bucket and count by turns. */
export type HistogramData = readonly number[];

/**
 * Counts times in buckets whose width grows with the time. The buckets are the same everywhere, so that histograms of
 * many processes and minutes add up without loss, and their number has a bound whatever is recorded.
 */
export class Histogram {
  #sumMs = 0;
  #maxMs = 0;
  readonly #buckets = new Map<number, number>();

  /** Adds one time in ms; what is below 0, as clocks of two machines differ, counts as 0. */
  record(ms: number): void {
    const time = ms > 0 ? Math.min(ms, mostMs) : 0; // NaN is no time either
    this.#sumMs += time;
    if (time > this.#maxMs) this.#maxMs = time;
    const bucket = time <= leastMs ? 0 : Math.ceil(Math.log(time / leastMs) * perStep);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  add(other: Histogram): void {
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
    for (const [bucket, count] of other.#buckets) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    }
  }

  /** Null where nothing was recorded. */
  summary(): TimeSummary | null {
    const sorted = [...this.#buckets].sort(([a], [b]) => a - b);
    const count = sorted.reduce((sum, [, times]) => sum + times, 0);
    if (count === 0) return null;
    return {
      count,
      meanMs: inMicroseconds(this.#sumMs / count),
      p50Ms: this.#quantile(sorted, 0.5 * count),
      p95Ms: this.#quantile(sorted, 0.95 * count),
      p99Ms: this.#quantile(sorted, 0.99 * count),
      maxMs: inMicroseconds(this.#maxMs),
    };
  }

  toData(): HistogramData {
    return [inMicroseconds(this.#sumMs), inMicroseconds(this.#maxMs), ...[...this.#buckets].flat()];
  }

  /** Reads what `toData` wrote; undefined for anything else. */
  static fromData(data: unknown): Histogram | undefined {
    if (!Array.isArray(data) || data.length < 2 || data.length % 2 === 1) return undefined;
    if (!data.every((value) => Number.isFinite(value) && value >= 0)) return undefined;
    const [sumMs, maxMs, ...buckets] = data as number[];
    const histogram = new Histogram();
    histogram.#sumMs = sumMs as number;
    histogram.#maxMs = maxMs as number;
    for (let at = 0; at < buckets.length; at += 2) {
      histogram.#buckets.set(buckets[at] as number, buckets[at + 1] as number);
    }
    return histogram;
  }

  /** The time that so many of the recorded ones do not exceed. */
  #quantile(sorted: readonly (readonly [bucket: number, count: number])[], rank: number): number {
    let seen = 0;
    for (const [bucket, count] of sorted) {
      seen += count;
      if (seen >= rank) return inMicroseconds(Math.min(middleMs(bucket), this.#maxMs));
    }
    return inMicroseconds(this.#maxMs);
  }
}

/** The value that is as far, relatively, from the beginning of a bucket as from its end. */
function middleMs(bucket: number): number {
  return bucket === 0 ? 0 : (leastMs * growth ** bucket * 2) / (growth + 1);
}

function inMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
