import type { Clock } from './clock.js';
import type { FailedJob, FailedJobStore } from './failed-jobs.js';
import type { Finding } from './finding.js';
import type { HistoryStore } from './history-store.js';
import type { LiveJob, Peek } from './live-jobs.js';
import type { Logger } from './logger.js';
import type { SignalStore } from './restart-signal.js';
import type { StatisticsStore } from './statistics-store.js';
import type { WireFormat } from './wire-format.js';
import type { WorkerRegistry } from './worker-registry.js';

/** A job on its way into a store. */
export interface NewJob {
  /** Unique among the jobs of its queue that are still stored. At most 64 characters. */
  readonly id: string;
  /** The encoded payload. Opaque to the store: kept and returned byte for byte. */
  readonly body: string;
  /** Wait before the job is due, in ms by the store's clock. Default 0. */
  readonly delayMs?: number;
  /** When the job is due, in ms since the epoch; overrides `delayMs`. A time in the past means now. */
  readonly availableAtMs?: number;
  /**
   * True where the id was chosen by the caller, so that others may push it too and the store must hold it
   * apart. A generated id is nobody else's: a store where looking for it costs may store such a job unseen.
   */
  readonly unique?: boolean;
}

/**
 * What a push did with one job: `already-there` when a job of that id is still stored in that queue. A store that gives
 * jobs ids of its own answers the one under which it was stored; its wire format has `keepsIds: false`.
 */
export type PushOutcome = 'stored' | 'already-there' | { readonly storedAs: string };

/**
 * The right to settle one delivery of one job. Passed back to the connector unchanged; only the
 * connector reads `handle`.
 */
export interface Lease {
  readonly queue: string;
  /** Minted afresh by every reserve and never used again, not even for the same job and attempt. */
  readonly token: string;
  /** How the driver finds the job again (a row id, a member). */
  readonly handle: string | number;
}

/** A job that this process holds under a lease. */
export interface ReservedJob {
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  /** Deliveries so far, including this one; 1 on the first. */
  readonly attempts: number;
  /** How often it was given back by `releaseThrown`; absent is 0. */
  readonly exceptions?: number;
  readonly lease: Lease;
  /** True where a lease with the token as its handle settles it as well: who writes it down need write no handle. */
  readonly isFoundByToken?: boolean;
  /**
   * Why this is no job, where the store can tell: the worker runs nothing and fails it as `bad-payload` with this
   * message. For stores that read other programs' jobs and find, say, no `attempts` where it must stand.
   */
  readonly problem?: string;
  /**
   * Why the job is over, where the store itself has given it up: nothing is run, and it fails as `max-tries` with this
   * message. For services that count the tries and send word of a job that has none left.
   */
  readonly givenUp?: string;
  /** What another program stored, where `body` is not just that: kept in place of `body` if it is no payload. */
  readonly raw?: string;
}

/** A lease and how long its job shall wait before it is due again, in ms by the store's clock. */
export interface Release {
  readonly lease: Lease;
  readonly delayMs: number;
  /**
   * What the job goes on with in place of its body, with the attempts that it notes. Only where the driver's wire format
   * has `noteFailure`.
   */
  readonly body?: string;
}

/** A lease and the record to keep of its job. */
export interface Failure {
  readonly lease: Lease;
  readonly record: FailedJob;
}

/** Jobs of a queue by state. A job whose lease has lapsed is due again and counts as ready. */
export interface QueueSize {
  readonly ready: number;
  readonly delayed: number;
  readonly reserved: number;
}

/**
 * The verbs of a backing service: the contract that every driver keeps.
 *
 * Each state change is one atomic operation of the store. A job is never in none of ready, delayed,
 * reserved and failed until it has been deleted. Settling verbs (`extend`, `delete`, `release` and the
 * optional `unreserve`, `postpone`, `releaseThrown`, `fail`) answer per lease, in the order given, whether it was still held; where
 * it was lost, nothing changes. A lease is lost once another worker has taken the job, and may be lost
 * from the moment that it lapses. Repeating a settling verb is harmless and answers `false`.
 *
 * Verbs throw a `QueueError`; `transient` on it says that trying again later makes sense.
 * `drover/testing` has the cases that hold a driver to all this.
 */
export interface Connector {
  /**
   * Stores all jobs or none, in one operation; they become due in the order given. Answers per job. Safe
   * to repeat after an error that leaves the outcome open, for jobs marked `unique`: one that is there already
   * is not stored twice. Nor is any that stands twice in the call. An id whose job was deleted, failed or
   * cleared is free again. Stores that find any id at no cost do the same for all jobs.
   */
  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]>;

  /**
   * Takes up to `limit` due jobs, those of earlier queues first and within a queue the one due longest
   * first (ties in push order), each under a fresh lease of `leaseMs`. A job whose lease has lapsed is
   * due. `attempts` rises here, atomically with the move.
   */
  reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]>;

  /** Moves the end of each lease to `leaseMs` from now. Revives no lost lease. */
  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]>;

  /** Removes done jobs: the ack. */
  delete(leases: readonly Lease[]): Promise<boolean[]>;

  /** Gives jobs back, each due again after its delay, with the attempt spent: the nack. */
  release(releases: readonly Release[]): Promise<boolean[]>;

  /** One consistent look: a job that moves meanwhile is counted once. */
  size(queue: string): Promise<QueueSize>;

  /**
   * Removes the ready and delayed jobs of a queue (those with lapsed leases too), and the reserved ones only
   * when asked to. Answers how many of each went.
   */
  clear(queue: string, options?: { readonly reserved?: boolean }): Promise<QueueSize>;

  /**
   * Ends connections that the connector opened itself, and waits that are under way; calls after it reject
   * with `E_QUEUE_CLOSED`. Safe to call twice.
   */
  close(): Promise<void>;

  /**
   * `delete`, then `reserve`, in one operation or one round trip: a worker that is done with jobs wants the next.
   * An error says that either may have happened.
   */
  deleteAndReserve?(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<{ readonly held: boolean[]; readonly jobs: ReservedJob[] }>;

  /** Gives jobs back that were never started, with the attempt unspent and their place in the order kept. */
  unreserve?(leases: readonly Lease[]): Promise<boolean[]>;

  /**
   * How many jobs a worker may reserve ahead of free slots where nobody says otherwise. Default 100; more where a trip takes
   * so long that a hundred quick jobs are done before it is back.
   */
  readonly prefetch?: number;

  /**
   * True where the store runs in this process: while it answers no handler runs, so that nothing is gained by asking for
   * more while there are jobs. Its verbs give the event loop a turn now and then.
   */
  readonly isInProcess?: boolean;

  /**
   * True where calls are carried out in the order in which they are made, none of them waiting for the answer to the one
   * before: many deletions need not wait for a reserve that is under way.
   */
  readonly isPipelined?: boolean;

  /** `release`, with the attempt unspent: for jobs that were not started and shall be due only after a while. */
  postpone?(releases: readonly Release[]): Promise<boolean[]>;

  /**
   * `release`, counting an error thrown by the handler against each job: `exceptions` of its later reserves is one
   * higher. The count goes with the job: a retry or a new push of the id starts at 0.
   */
  releaseThrown?(releases: readonly Release[]): Promise<boolean[]>;

  /**
   * Records each job in `failedJobs` and deletes it from the queue, as one operation. Present where both
   * live in this store.
   */
  fail?(failures: readonly Failure[]): Promise<boolean[]>;

  /**
   * As `push`, inside a transaction of the application: done when that commits. Present where the store shares
   * its transactions; what one is depends on the store (knex's `Transaction` for the database driver).
   */
  pushIn?(transaction: unknown, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]>;

  /**
   * As `delete`, inside a transaction of the application. The lease is held again once that has rolled back,
   * unless it lapsed meanwhile.
   */
  deleteIn?(transaction: unknown, leases: readonly Lease[]): Promise<boolean[]>;

  /**
   * Resolves at once when a job becomes due in one of the queues (pushed, released, given back, retried, its
   * delay over or its lease lapsed), and in any case when `maxWaitMs` have passed or the signal aborts;
   * never rejects for an abort. May wake too early. Answers `nothing-due` where it has looked as it ended, so that a
   * reserve at once would bring nothing. Absent where the store cannot tell: the worker then looks again by itself.
   */
  waitForJob?(
    queues: readonly string[],
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<void> | Promise<'nothing-due' | undefined>;

  /**
   * How long the ready job that has been due longest has waited, in ms by the store's clock; null where none is ready.
   * A job whose lease has lapsed has been due since then. Absent where the store would have to look through the queue.
   */
  longestWaitMs?(queue: string): Promise<number | null>;

  /**
   * Looks at jobs of a queue without taking them, in the order in which they are or will be due; reserved ones by the
   * end of their leases. One whose lease has lapsed is ready. For people: a job that moves between two calls may be
   * seen twice or not at all. Present or absent together with `find`.
   */
  peek?(queue: string, options: Peek): Promise<LiveJob[]>;

  /** Looks for a job by its id, without taking it; null where the queue has none. May have to look through the queue. */
  find?(queue: string, id: string): Promise<LiveJob | null>;

  /**
   * The bodies of jobs that are held, byte for byte as they were reserved, for who knows the rest of them; undefined where
   * a lease was lost. Present where that takes no look through the queue: a supervised worker then writes down no bodies.
   */
  bodiesOf?(jobs: readonly ReservedJob[]): Promise<(string | undefined)[]>;

  /**
   * Creates or updates the store's schema and answers what was done, `[]` where there was nothing to do. Absent
   * where there is no schema.
   */
  migrate?(): Promise<string[]>;

  /**
   * The statements that `migrate` would run now, for somebody else to run; `whole` for all that make the schema,
   * for which nothing is connected to, also in another `dialect` that the driver knows. Absent where `migrate`
   * is, or where it runs no statements.
   *
   * @throws QueueError `E_UNSUPPORTED` for a dialect that the driver does not know.
   */
  schemaSql?(options?: { readonly whole?: boolean; readonly dialect?: string }): Promise<string[]>;

  /**
   * Looks for what is wrong with the store or with how it is set up, for `queue:doctor`. Changes nothing, makes no
   * table either, and answers one finding for each thing looked at, also where all is well. Where the tables are not as
   * the other verbs need them, the finding of the check `schema` is not `ok`.
   *
   * @throws QueueError where the store cannot be asked at all.
   */
  diagnose?(): Promise<Finding[]>;

  /** The failed-job store that lives in this store. */
  readonly failedJobs?: FailedJobStore;

  /** Where signals to workers (restart, what is paused) are kept. */
  readonly signals?: SignalStore;

  /** Where statistics are kept. Absent where there is no room for them: nothing is counted then. */
  readonly statistics?: StatisticsStore;
  /** Where ended jobs are kept, on connections whose `history` asks for it. */
  readonly history?: HistoryStore;
  /** Where workers say that they live. */
  readonly workers?: WorkerRegistry;

  /** True where `push` runs the jobs itself, so that there is nothing for a worker to reserve. */
  readonly inline?: boolean;
}

/** What a driver is given when its connection is first used. */
export interface DriverContext {
  /** The name of the connection in the config. */
  readonly connection: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Runs one job now through the same attempt pipeline as a worker, settling through `connector`. Rejects
   * with the job's error after its `failed` hook ran. For drivers whose push runs the job.
   */
  runInline(job: ReservedJob, connector: Connector): Promise<void>;
}

/** A driver as it stands in the config: a value that knows how to connect. */
export interface Driver {
  /** `memory`, `sync`, `database`, `redis`: shown to people, not looked up. */
  readonly driver: string;
  readonly settings: ConnectionSettings;
  /** How its jobs are written. Default: as think-queue 3 does. */
  readonly wire?: WireFormat;
  /** Opens nothing yet: a connector connects when its first verb is called. */
  connect(context: DriverContext): Connector;
}

/** Settings that every connection has, in the units of the code. */
export interface ConnectionSettings {
  /** The queue used where none is named. Default `default`. */
  readonly queue: string;
  /** How long a reserved job is kept from other workers unless extended. Default 90,000. */
  readonly leaseMs: number;
  /** How many ended jobs are kept, and for how long. Absent: none are. */
  readonly history?: HistoryKept;
}

/** The bounds of a connection's history; one of them is set. */
export interface HistoryKept {
  /** The newest so many. */
  readonly count?: number;
  /** Those that ended in the last so many ms. */
  readonly ageMs?: number;
}
