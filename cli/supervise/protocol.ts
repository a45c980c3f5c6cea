import type { ReservedJob } from '../../src/index.js';

/** What became of a worker process's job, in words that travel between processes. */
export type Verdict =
  | { readonly action: 'give-back' }
  | { readonly action: 'delete' }
  | {
      readonly action: 'charge';
      readonly reason: 'timed-out' | 'crashed';
      readonly message: string;
      readonly stack: string;
    };

/** A job that a dead worker process held, and what to do with it. */
export interface Left {
  readonly reserved: ReservedJob;
  /** Of the process that held it. */
  readonly pid: number;
  /** False for one that waited for a slot. */
  readonly started: boolean;
  /** What its handler was started as, where that is on record. */
  readonly name?: string;
  readonly verdict: Verdict;
}

/** What a worker process begins with. */
export interface Begin {
  /** What the command line says, as yargs parsed it. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What a dead process left, to be settled before anything else. */
  readonly left: readonly Left[];
  readonly suspects: readonly string[];
  /** True for a process that shall settle what was left, and work no more. */
  readonly settleOnly: boolean;
  /** Its number among the processes of its supervisor. Default 0, the first. */
  readonly place?: number;
}

/** What the supervisor tells a worker process. */
export type Order =
  /** The first. */
  | ({ readonly type: 'begin' } & Begin)
  | { readonly type: 'stop'; readonly why: string }
  | { readonly type: 'suspects'; readonly suspects: readonly string[] }
  | { readonly type: 'ping' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' };

/** What a worker process tells its supervisor. */
export type Report =
  /** Config and job files are good; what was left is settled. */
  | { readonly type: 'working'; readonly graceMs: number; readonly shutdownTimeoutMs: number }
  /** The answer to a ping: the event loop turns. */
  | { readonly type: 'pong' }
  /** A suspect ran, and did not kill this process. */
  | { readonly type: 'cleared'; readonly suspect: string }
  | { readonly type: 'output-gone' }
  | { readonly type: 'stopped'; readonly reason: string };

/** How suspects are named: an id is unique within its queue. */
export function suspectName(job: { readonly queue: string; readonly id: string }): string {
  return `${job.queue} ${job.id}`;
}
