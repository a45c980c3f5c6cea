/**
 * Wall-clock time in ms since the Unix epoch. Stores without a clock of their own (memory, SQLite)
 * use it for delays and leases; tests inject one that they move by hand.
 */
export interface Clock {
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };
