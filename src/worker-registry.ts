/** A sign of life of a worker. */
export interface Beat {
  /** Unique among all workers, at most 64 characters. */
  readonly id: string;
  /** What the worker says of itself. Opaque to the store; at most 8 KB. */
  readonly about: string;
  /** How long it holds, in ms by the store's clock, unless another follows. */
  readonly keepMs: number;
}

/** A worker whose last sign of life still holds. */
export interface BeatEntry {
  readonly id: string;
  readonly about: string;
  /** How long it still holds, in ms. */
  readonly leftMs: number;
}

/**
 * Where workers say that they live. It grows with the live workers only: a beat also forgets others, sooner or later,
 * whose time is over. No job depends on it.
 */
export interface WorkerRegistry {
  /** Stores a beat in place of the worker's last one. */
  beat(beat: Beat): Promise<void>;
  /** The beats that still hold, in no order. */
  list(): Promise<BeatEntry[]>;
  /** How far apart beats should be, in ms, where nobody says otherwise. Default 3000; more where a write costs others. */
  readonly everyMs?: number;
  /** Forgets a worker. */
  leave(id: string): Promise<void>;
  /**
   * Stores a beat along with what a worker asks anyway, or by itself within about two seconds. Never throws; says on
   * the driver's log what fails. Present where that saves a trip; else workers call `beat`.
   */
  beatAlong?(beat: Beat): void;
}
