import type { Connector } from '../../src/index.js';

/** What a connector may offer beyond the verbs that all have. */
export type Capability =
  | 'deleteAndReserve'
  | 'unreserve'
  | 'postpone'
  | 'releaseThrown'
  | 'fail'
  | 'waitForJob'
  | 'failedJobs'
  | 'failedJobs.retry'
  | 'signals'
  | 'signals.swap'
  | 'workers'
  | 'statistics'
  | 'history'
  | 'peek'
  | 'longestWaitMs'
  | 'migrate'
  | 'diagnose'
  /** The harness has a second connector on the same store. */
  | 'second-connector';

/** One store, opened for one case. */
export interface ConformanceHarness {
  /** A connector on an empty store. */
  readonly connector: Connector;
  /**
   * Another connector on the same store, as another process would have it. The same object where the
   * store lives in one connector.
   */
  readonly other: Connector;
  /** How long a case waits for what should come at once, in ms of real time. Default 10,000. */
  readonly patienceMs?: number;
  /** The time of the store's clock, in ms since the epoch. */
  now(): Promise<number>;
  /**
   * Lets time pass for the store: moves its clock forward, or moves every time that it has stored back.
   * Cases leave margins of seconds, so real time may pass as well.
   */
  advance(ms: number): Promise<void>;
  /** Closes both connectors, which a case may have done already, and removes the store. */
  close(): Promise<void>;
}

/** How the suite gets at a driver: the one thing that a driver's author writes. */
export interface HarnessFactory {
  /**
   * Opens an empty store.
   *
   * @param options.realTime True for the cases that let real time pass instead of calling `advance`: the
   * store must then go by the clock that it has in production.
   */
  open(options: { readonly realTime: boolean }): Promise<ConformanceHarness>;
}

/** One rule of the contract, and how to see whether a connector keeps it. */
export interface ConformanceCase {
  /** Unique: the topic, a colon, the rule. */
  readonly name: string;
  /** Capabilities without which the case means nothing. */
  readonly needs?: readonly Capability[];
  /** True where real time passes, a few hundred ms of it. */
  readonly realTime?: boolean;
  /** Rejects with an error that names the rule when the connector breaks it. */
  run(harness: ConformanceHarness): Promise<void>;
}
