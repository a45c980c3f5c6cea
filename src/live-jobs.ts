/** The state of a job in its queue, as `size` counts it. */
export type LiveState = 'ready' | 'delayed' | 'reserved';

/** A job in its queue, looked at without being taken. */
export interface LiveJob {
  /** The id that a worker would know it by; null where it has none until then. */
  readonly id: string | null;
  readonly queue: string;
  readonly state: LiveState;
  /** The encoded payload, byte for byte where it is text. */
  readonly body: string;
  /** Deliveries so far, that of a present holder included. */
  readonly attempts: number;
  /** How often it was given back by `releaseThrown`; absent is 0. */
  readonly exceptions?: number;
  /** When it was pushed, in ms since the epoch; null where the store does not know. */
  readonly createdAtMs: number | null;
  /** When it is or was due; null where the store does not know. */
  readonly dueAtMs: number | null;
  /** When its present holder took it; null where nobody holds it or the store does not know. */
  readonly reservedAtMs: number | null;
  /** When the lease of its present holder ends unless it is extended; null where nobody holds it. */
  readonly leaseEndsAtMs: number | null;
}

/** Which of a queue's jobs to look at. */
export interface Peek {
  readonly state: LiveState;
  /** At most so many: those due first, or whose leases end first. */
  readonly limit: number;
  /** How many of these to pass over. Default 0. */
  readonly offset?: number;
}
