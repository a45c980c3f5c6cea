import type { Options } from './options.js';

/** How hard a run is: what is pushed, who works, and how often what is broken. */
export interface Profile {
  readonly producers: number;
  /** Jobs a second that each of them pushes. */
  readonly rate: number;
  /** `queue:work --queue=high,default,low`, beside one for the queue that is in order. */
  readonly workers: number;
  /** `queue:work --workers=0 --queue=bare`: nobody settles for one that is killed, nor kills one that stands still. */
  readonly bare: number;
  /** Jobs a second for these. */
  readonly bareRate: number;
  readonly bareWeights: Readonly<Record<string, number>>;
  /** `queue:listen --queue=default`. */
  readonly listeners: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly pollMs: number;
  readonly commandTimeoutMs: number;
  readonly tries: number;
  readonly delayedShare: number;
  /** Jobs that fall due at one moment, soon after the start. */
  readonly burst: number;
  /** Jobs of the run in a queue of its own, before anything is broken. */
  readonly quiet: number;
  /** The kinds of jobs, by how many there are of each; `jobs/torture.mjs` has what they do. */
  readonly weights: Readonly<Record<string, number>>;
  /** How often what happens, in ms: on the average for kills, else every so often. */
  readonly everyMs: {
    readonly kill: number;
    readonly term: number;
    readonly stop: number;
    readonly restart: number;
    readonly outage: number;
    readonly network: number;
    readonly full: number;
    readonly clock: number;
    readonly graves: number;
    /** Workers that settle a job which another one has by then. */
    readonly late: number;
  };
  /** For so long before the end no restart is asked for, so that one process lives as long as it takes to judge its memory. */
  readonly restartlessMs: number;
  /** Whether processes collect their garbage every few seconds: it costs, and short runs do not look at memory. */
  readonly tidies: boolean;
  /** How long the idle workers are watched after the drain. */
  readonly idleMs: number;
}

const times = {
  leaseMs: 6000,
  timeoutMs: 3000,
  graceMs: 1000,
  pollMs: 1000,
  commandTimeoutMs: 2000,
  tries: 5,
} as const;

/** Blocked loops, full heaps and dead processes cost seconds of CPU each: few of them, for a small machine. */
const weights = {
  quick: 70,
  slow: 15,
  busy: 4,
  throws: 4,
  fails: 2,
  releases: 2,
  late: 0.5,
  long: 0.3,
  exits: 0.3,
  never: 0.3,
  blocks: 0.1,
  swells: 0.1,
};

const bareWeights = { quick: 60, slow: 20, throws: 6, fails: 1, releases: 3, late: 2, long: 0.5 };

/** A run of seconds, for every change: a little of everything. */
function smoke(ms: number): Profile {
  return {
    ...times,
    producers: 2,
    rate: 15,
    workers: 3,
    bare: 2,
    bareRate: 6,
    bareWeights,
    listeners: 1,
    concurrency: 4,
    delayedShare: 0.15,
    burst: 200,
    quiet: 200,
    weights,
    everyMs: {
      kill: 1500,
      term: 5000,
      stop: 9000,
      restart: ms / 2,
      outage: ms / 2,
      network: 4000,
      full: ms / 2,
      clock: 5000,
      graves: ms / 2,
      late: ms / 2,
    },
    restartlessMs: 0,
    tidies: false,
    idleMs: 4000,
  };
}

function nightly(driver: Options['driver']): Profile {
  return {
    ...times,
    producers: 4,
    rate: driver === 'sqlite' || driver === 'naive' ? 12 : 20,
    workers: 6,
    bare: 3,
    bareRate: 12,
    bareWeights,
    listeners: 1,
    concurrency: 4,
    delayedShare: 0.15,
    burst: 8500,
    quiet: 5000,
    weights,
    everyMs: {
      kill: 2000,
      term: 15_000,
      stop: 40_000,
      restart: 60_000,
      outage: 60_000,
      network: 20_000,
      full: 45_000,
      clock: 30_000,
      graves: 30_000,
      late: 30_000,
    },
    restartlessMs: 200_000,
    tidies: true,
    idleMs: 30_000,
  };
}

/** More of what the mutants break, and workers without a supervisor with room for what comes back. */
function forMutants(): Profile {
  return {
    ...smoke(30_000),
    rate: 8,
    workers: 2,
    bare: 4,
    bareRate: 2,
    bareWeights: { quick: 40, slow: 10, throws: 15, fails: 5, releases: 3, late: 14, long: 2 },
    burst: 300,
    weights: { ...weights, throws: 15, fails: 5, long: 3, exits: 4, swells: 0, blocks: 0 },
    everyMs: {
      kill: 1200,
      term: 3000,
      stop: 6000,
      restart: 15_000,
      outage: 30_000,
      network: 30_000,
      full: 60_000,
      clock: 60_000,
      graves: 60_000,
      late: 4000,
    },
  };
}

export function profileFor({ driver, seconds, mutant }: Options): Profile {
  if (mutant !== undefined) return forMutants();
  return seconds < 120 ? smoke(seconds * 1000) : nightly(driver);
}
