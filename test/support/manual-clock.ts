import type { Clock } from '../../src/index.js';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves it forward, or back where `ms` is negative. */
  advance(ms: number): void;
}

/** @param startMs ms since the epoch. Default: some time in November 2023. */
export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms;
    },
  };
}
