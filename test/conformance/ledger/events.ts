/**
 * What the processes of a run write down, one line an event: producers what they push, handlers what they run, and
 * whoever breaks things what they broke. All times (`t`, `fromMs`, `toMs`) are ms of one monotonic clock that all
 * processes of the host share, such as `Number(process.hrtime.bigint()) / 1e6`.
 */
export type LedgerEvent =
  | PushEvent
  | RunEvent
  | RunEndEvent
  | SettledEvent
  | FaultEvent
  | DepthEvent
  | ExitEvent
  | MemoryEvent
  | ComplaintEvent;

/** A push: `intent` before the call, then `ok` or `err`. Pushing an id again has an `intent` of its own. */
type PushEvent =
  | {
      readonly ev: 'intent';
      readonly t: number;
      readonly id: string;
      readonly queue: string;
      /** Of the job's data. */
      readonly hash: string;
      readonly delayMs?: number;
    }
  | { readonly ev: 'ok'; readonly t: number; readonly id: string }
  | {
      readonly ev: 'err';
      readonly t: number;
      readonly id: string;
      readonly code: string;
      /** False where the error says that nothing was stored; absent where it says nothing of it. */
      readonly ambiguous?: boolean;
    };

/** A handler that was called, as the first thing that it does. */
interface RunEvent {
  readonly ev: 'started';
  readonly t: number;
  readonly id: string;
  readonly queue: string;
  readonly pid: number;
  /** Of the process whose death takes this one along. */
  readonly parent?: number;
  readonly attempt: number;
  readonly hash: string;
}

/**
 * How a run ended: `finished` as the last thing before it returns, `threw` before it throws, `released` right before it
 * releases the job, which takes effect at once; `aborted` when its signal aborts, whatever it does then.
 */
export interface RunEndEvent {
  readonly ev: 'finished' | 'threw' | 'released' | 'aborted';
  readonly t: number;
  readonly id: string;
  readonly pid: number;
}

/**
 * A worker said that the job of a run is deleted: no later fault explains that it runs again. Of a run of which none says
 * so, any fault explains it that comes within a lease; where a ledger has no such events at all, within a second.
 */
interface SettledEvent {
  readonly ev: 'settled';
  readonly t: number;
  readonly id: string;
  readonly attempt: number;
}

/**
 * Something that was broken on purpose, or that a job broke.
 *
 * - `kill`: processes ended without warning, at one moment
 * - `death`: the same, by a job that ran in them
 * - `term`: processes were asked to stop; no excuse for a second run of what had finished
 * - `stop`: processes stood still
 * - `outage`: nobody could reach the store
 * - `network`: connections were cut, lost, slow or silent
 * - `failover`: a replica took over; what was written from `fromMs` on may be undone
 * - `full`: the store took nothing more, which excuses nothing: what is there can be worked off
 * - `clock`: the clocks of processes jumped, which excuses nothing
 * - `graves`: failed jobs could not be recorded, which excuses nothing: they wait
 */
export interface FaultEvent {
  readonly ev: 'fault';
  readonly fault:
    | 'kill'
    | 'death'
    | 'term'
    | 'stop'
    | 'outage'
    | 'network'
    | 'failover'
    | 'full'
    | 'clock'
    | 'graves';
  readonly fromMs: number;
  readonly toMs: number;
  /** The processes hit; absent where it was all of them. */
  readonly pids?: readonly number[];
}

/** A look at the store, from beside the workers. */
interface DepthEvent {
  readonly ev: 'depth';
  readonly t: number;
  /** Due jobs of all queues that have a worker. */
  readonly ready: number;
}

/** A process that ended, and what had been done to it: `none` where it ended by itself. */
interface ExitEvent {
  readonly ev: 'exit';
  readonly t: number;
  readonly pid: number;
  readonly cause: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** Memory that a process has, and its open files where known. */
export interface MemoryEvent {
  readonly ev: 'memory';
  readonly t: number;
  readonly pid: number;
  /** When the process began, by any clock: pids are used again. */
  readonly since?: number;
  readonly rssMiB: number;
  readonly files?: number;
}

/** What a process said that none should ever say, such as Node's warning of an unhandled rejection. */
interface ComplaintEvent {
  readonly ev: 'complaint';
  readonly t: number;
  readonly text: string;
}

/** What is there after the last job: workers ran on until nothing was left to do. */
export interface Remains {
  /** The records of failed jobs: their job's id, and the hash of its data. */
  readonly failed: readonly { readonly id: string; readonly hash: string }[];
  /** What should be gone, and how much of it is left: `{ ready: 0, 'keys without an end': 0, ... }`. */
  readonly left: Readonly<Record<string, number>>;
  /** What workers cost that have nothing to do. Each has a bound of its own. */
  readonly idle?: Readonly<Record<string, { readonly value: number; readonly most: number }>>;
}

/** What the checks go by. */
export interface LedgerRules {
  readonly leaseMs: number;
  /** Deliveries allowed of each job. */
  readonly tries: number;
  /** The longest that an idle worker waits between two looks. */
  readonly pollMs: number;
  /** What starts and looks may take beyond that on this machine. */
  readonly slackMs: number;
  /** Jobs that can run side by side, all workers together. */
  readonly slots: number;
  /** How long a client waits for the answer to a push before it may send it again by itself. Default: it never does. */
  readonly pushAgainMs?: number;
  /** Queues that the same workers take, the first one first; none where there is only one. */
  readonly priorities?: readonly string[];
  /** Queues that had one worker with one slot and one producer, which pushed one job after the other. */
  readonly inOrder?: readonly string[];
  /** The exit codes, or signals, that are right after each cause. */
  readonly exits?: Readonly<Record<string, readonly (number | string)[]>>;
}
