import { expect } from 'vitest';
import type { EventName } from '../../src/index.js';
import type { LogLine } from './recorder.js';

/** What a store may do with jobs in an outage. */
export interface Forgiven {
  /** What was accepted and done for so long before the fault, and during it, the store may have forgotten. Default 0. */
  readonly forgetsMs?: number;
  /**
   * A push is repeated that the fault met, or that had no answer for so long: a job that was done by then runs again.
   * None is by default.
   */
  readonly repeatsPushesAfterMs?: number;
}

/** What came of the jobs of an outage. */
export interface Toll {
  readonly accepted: number;
  /** Accepted, and never run. */
  readonly lost: number;
  /** Run more than once. */
  readonly doubled: number;
  /** The longest time in which no job of a queue ran. */
  readonly standstillMs: number;
}

/** A run of a job, or a push that was answered. */
export interface Moment {
  readonly id: string;
  readonly queue: string;
  readonly atMs: number;
}

/** A push that was answered. */
export interface Push extends Moment {
  readonly fromMs: number;
}

/** When an outage began and ended. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Judges what ran after an outage: nothing lost, nothing run twice, but for what the store may have forgotten. */
export function verdict(
  { forgetsMs = 0, repeatsPushesAfterMs }: Forgiven,
  { fromMs, untilMs }: Span,
  accepted: readonly Push[],
  { ran, events }: { readonly ran: readonly Moment[]; readonly events: readonly EventName[] },
): Omit<Toll, 'standstillMs'> {
  const runs = new Map<string, number[]>();
  for (const { id, atMs } of ran) runs.set(id, [...(runs.get(id) ?? []), atMs]);
  const isForgotten = (atMs: number) =>
    forgetsMs > 0 && atMs > fromMs - forgetsMs && atMs < untilMs + forgetsMs;
  const pushes = new Map(accepted.map((push) => [push.id, push]));
  const isRepeated = (id: string) => {
    if (repeatsPushesAfterMs === undefined) return false;
    const push = pushes.get(id);
    if (push === undefined || push.atMs - push.fromMs >= repeatsPushesAfterMs) return true;
    return push.fromMs < untilMs && push.atMs > fromMs;
  };
  const lost = accepted.filter(({ id }) => !runs.has(id));
  const doubled = [...runs].filter(([, times]) => times.length > 1);
  expect(lost.filter(({ atMs }) => !isForgotten(atMs))).toEqual([]);
  const unforgiven = doubled.filter(([id, [first = 0]]) => !isForgotten(first) && !isRepeated(id));
  const shown = unforgiven.map(([id, times]) => ({ id, times, push: pushes.get(id) }));
  expect(shown, `ran twice, the outage from ${fromMs} to ${untilMs}`).toEqual([]);
  const ends = new Set(events.filter((event) => event.startsWith('job:')));
  ends.delete('job:given-back'); // held by the worker as it stopped
  if (forgetsMs > 0) ends.delete('job:lost'); // its lease was forgotten
  expect([...ends].sort()).toEqual(['job:done', 'job:started']);
  return { accepted: accepted.length, lost: lost.length, doubled: doubled.length };
}

/** No loop of errors: the worker waits between its looks at the store, and so does each settlement between its tries. */
export function keepsItsWaits(lines: readonly LogLine[], duringMs: number): void {
  const waitsOf = (isMeant: (line: LogLine) => boolean): number[] =>
    lines
      .filter((line) => 'waitMs' in line.fields && isMeant(line))
      .map(({ fields }) => Number(fields.waitMs));
  const looks = waitsOf(({ message }) => message.startsWith('the store does not answer'));
  expect(Math.min(...looks, 80)).toBeGreaterThanOrEqual(80);
  expect(looks.slice(0, -1).reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(duringMs);
  expect(Math.min(...waitsOf(() => true), 40)).toBeGreaterThanOrEqual(40);
  expect(lines.filter(({ level }) => level !== 'debug').length).toBeLessThan(60);
  expect(lines.length).toBeLessThan(120); // knex tells of each connection that it cannot make
}

/** The longest time between two of them, in ms. */
export function longestGap(moments: readonly Moment[]): number {
  return Math.max(0, ...moments.slice(1).map(({ atMs }, index) => atMs - (moments[index]?.atMs ?? atMs)));
}
