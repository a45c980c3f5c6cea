import { Histogram } from './histogram.js';
import type { StatisticsKey } from './statistics-store.js';

/** What is counted. */
export const counters = ['pushed', 'done', 'failed', 'released', 'timedOut'] as const;

/** How often each thing happened. */
export type Counts = Record<(typeof counters)[number], number>;

/** Stands in for queues and names beyond those that are told apart. No queue or job can have such a name. */
export const others = '(others)';

/** What happened to the jobs of one name on one queue in some time. */
export class Tally {
  readonly counts: Counts = { pushed: 0, done: 0, failed: 0, released: 0, timedOut: 0 };
  readonly run: Histogram;
  readonly wait: Histogram;

  constructor(run = new Histogram(), wait = new Histogram()) {
    this.run = run;
    this.wait = wait;
  }

  /** Counts what another counted as well; answers itself. */
  add(other: Tally | undefined): this {
    if (!other) return this;
    for (const counter of counters) this.counts[counter] += other.counts[counter];
    this.run.add(other.run);
    this.wait.add(other.wait);
    return this;
  }

  /** The body of a row. */
  toText(): string {
    const counts = counters.map((counter) => this.counts[counter]);
    return JSON.stringify({ v: 1, counts, run: this.run.toData(), wait: this.wait.toData() });
  }

  /** Reads a body; undefined for what this version does not know, whoever wrote it. */
  static fromText(text: string): Tally | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (typeof value !== 'object' || value === null) return undefined;
    const { v, counts, run, wait } = value as Record<string, unknown>;
    const histograms = [Histogram.fromData(run), Histogram.fromData(wait)];
    if (v !== 1 || !Array.isArray(counts) || counts.length !== counters.length) return undefined;
    if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined;
    if (histograms.includes(undefined)) return undefined;
    const tally = new Tally(...(histograms as Histogram[]));
    for (const [index, counter] of counters.entries()) tally.counts[counter] = counts[index];
    return tally;
  }
}

/** Where a tally belongs. */
type Place = Pick<StatisticsKey, 'startMs' | 'queue' | 'name'>;

/** A tally and where it belongs. */
export type PlacedTally = readonly [place: Place, tally: Tally];

/** How many pairs of queue and name are told apart in one minute or hour. */
export const mostNames = 500;

/**
 * Tallies by time, queue and name, up to {@link mostNames} for each time: what comes beyond is counted under
 * {@link others}. Names are data of users, so they are keys of maps and never of objects.
 */
export class Tallies {
  readonly #earlier: Tallies | undefined;
  readonly #byStart = new Map<number, { fresh: number; readonly queues: Map<string, Map<string, Tally>> }>();

  /** @param earlier what was counted before of the same times: its names have their places already. */
  constructor(earlier?: Tallies) {
    this.#earlier = earlier;
  }

  get starts(): number[] {
    return [...this.#byStart.keys()];
  }

  /** The tally of a place, made where there is none. */
  get(startMs: number, queue: string, name: string): Tally {
    const known = this.find(startMs, queue, name);
    if (known) return known;
    let time = this.#byStart.get(startMs);
    if (!time) {
      time = { fresh: 0, queues: new Map() };
      this.#byStart.set(startMs, time);
    }
    if (name !== others && !this.#earlier?.find(startMs, queue, name)) {
      if (time.fresh + (this.#earlier?.sizeAt(startMs) ?? 0) >= mostNames)
        return this.get(startMs, others, others);
      time.fresh += 1;
    }
    const tally = new Tally();
    const names = time.queues.get(queue) ?? new Map<string, Tally>();
    time.queues.set(queue, names.set(name, tally));
    return tally;
  }

  find(startMs: number, queue: string, name: string): Tally | undefined {
    return this.#byStart.get(startMs)?.queues.get(queue)?.get(name);
  }

  sizeAt(startMs: number): number {
    return this.#byStart.get(startMs)?.fresh ?? 0;
  }

  *[Symbol.iterator](): Generator<PlacedTally> {
    for (const [startMs, { queues }] of this.#byStart) {
      for (const [queue, names] of queues) {
        for (const [name, tally] of names) yield [{ startMs, queue, name }, tally];
      }
    }
  }

  add(other: Iterable<PlacedTally>): void {
    for (const [{ startMs, queue, name }, tally] of other) this.get(startMs, queue, name).add(tally);
  }

  /** Counts all of one time as of another. */
  move(fromMs: number, toMs: number): void {
    const moved = this.#byStart.get(fromMs)?.queues ?? new Map<string, Map<string, Tally>>();
    this.#byStart.delete(fromMs);
    for (const [queue, names] of moved) {
      for (const [name, tally] of names) this.get(toMs, queue, name).add(tally);
    }
  }

  /** Forgets what began before a time. */
  dropBefore(startMs: number): void {
    for (const start of this.#byStart.keys()) if (start < startMs) this.#byStart.delete(start);
  }
}
