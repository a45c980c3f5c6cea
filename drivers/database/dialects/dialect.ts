import type { TableNames } from '../../../migrations/index.js';
import type {
  Beat,
  BeatEntry,
  EndedJob,
  FailedJob,
  FailedJobFilter,
  Failure,
  Finding,
  HistoryBounds,
  HistoryFilter,
  Lease,
  LiveJob,
  NewJob,
  Peek,
  PushOutcome,
  QueueError,
  QueueSize,
  Release,
  ReservedJob,
  RetryOutcome,
  StatisticsRange,
  StatisticsRow,
} from '../../../src/index.js';
import type { Opener } from '../opener.js';
import type { Sql } from '../profiles/sql.js';
import type { SingleOpener } from '../single.js';

/** An answer now (SQLite runs inside this process) or later (a server). */
export type Answer<T> = T | Promise<T>;

/**
 * What differs from one kind of database to the next: the statements, and how a connection is treated.
 *
 * `Connection` is what the client's package opens, by knex or without it. Every method works on one connection that nobody else has
 * meanwhile, does what it says in one statement or one transaction, and throws the database's own errors,
 * leaving no transaction open. The clock of delays and leases is the dialect's affair.
 */
export interface Dialect<Connection> {
  /** Names the database to people, free of secrets: a path, or the server and its database. */
  readonly place: string;
  readonly jobs: JobTable<Connection>;
  readonly failedJobs: FailedJobTable<Connection>;
  readonly signals: SignalTable<Connection>;
  readonly statistics: StatisticsTable<Connection>;
  readonly workers: WorkerTable<Connection>;
  readonly liveJobs: LiveJobTable<Connection>;
  readonly endedJobs: EndedJobTable<Connection>;
  readonly history: SchemaHistory<Connection>;
  readonly looks: LookTable<Connection>;
  readonly health: Health<Connection>;
  readonly news: News<Connection>;
  /** For tables that are not drover's own. */
  readonly sql: Sql<Connection>;
  /** Present where the connections of a server are opened without knex. */
  readonly opener?: Opener<Connection>;
  /** Present where a database that needs one connection only is opened without knex. */
  readonly single?: SingleOpener<Connection>;
  /** Makes what must be there before the first connection is opened. Not called for a ready instance. */
  prepareStore(): Promise<void>;
  /** Sets up a connection that the driver opened itself. */
  configure(connection: Connection): Answer<void>;
  /** Sets up a connection of the application for one use; the answer puts back what it changed. */
  borrow(connection: Connection): () => void;
  /** Cuts a connection off at once, so that the pool drops it and nothing that waits in it is sent later. */
  drop(connection: Connection): void;
  /** True where the database has undone what was asked, and the same call may pass right away. */
  isConflict(error: unknown): boolean;
  /** The error for what the database or its client threw. */
  explain(error: unknown, place: string): QueueError;
}

/** A dialect whose jobs are in drover's own table. */
export interface OwnDialect<Connection> extends Dialect<Connection> {
  readonly jobs: OwnJobTable<Connection>;
}

/** What `deleteAndReserve` answers. */
export interface DeletedAndReserved {
  readonly held: boolean[];
  readonly jobs: ReservedJob[];
}

/** The verbs on live jobs, as {@link Connector} promises them. */
export interface JobTable<Connection> {
  push(connection: Connection, queue: string, jobs: readonly NewJob[]): Answer<PushOutcome[]>;
  /** As `push` of jobs that are due at once; tells those that wait as it commits. Absent where that takes a trip of its own. */
  pushTelling?(connection: Connection, queue: string, jobs: readonly NewJob[]): Answer<PushedAndTold>;
  /** As `push`, inside a transaction that the caller has begun. */
  pushWithin(connection: Connection, queue: string, jobs: readonly NewJob[]): Answer<PushOutcome[]>;
  reserve(
    connection: Connection,
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Answer<ReservedJob[]>;
  extend(connection: Connection, leases: readonly Lease[], leaseMs: number): Answer<boolean[]>;
  delete(connection: Connection, leases: readonly Lease[]): Answer<boolean[]>;
  /** As `delete`, inside a transaction that the caller has begun. */
  deleteWithin(connection: Connection, leases: readonly Lease[]): Answer<boolean[]>;
  release(connection: Connection, releases: readonly Release[]): Answer<boolean[]>;
  postpone(connection: Connection, releases: readonly Release[]): Answer<boolean[]>;
  size(connection: Connection, queue: string): Answer<QueueSize>;
  clear(connection: Connection, queue: string, withReserved: boolean): Answer<QueueSize>;
}

/** The verbs on live jobs in drover's own table, which has the columns and the indexes that all of them need. */
export interface OwnJobTable<Connection> extends JobTable<Connection> {
  deleteAndReserve(
    connection: Connection,
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Answer<DeletedAndReserved>;
  unreserve(connection: Connection, leases: readonly Lease[]): Answer<boolean[]>;
  releaseThrown(connection: Connection, releases: readonly Release[]): Answer<boolean[]>;
  longestWaitMs(connection: Connection, queue: string): Answer<number | null>;
}

/** What a push that tells of itself did. */
export interface PushedAndTold {
  readonly outcomes: PushOutcome[];
  /** How many were told, each of one job. */
  readonly told: number;
}

/** The verbs on given-up jobs, with the two that cross between the tables. */
export interface FailedJobTable<Connection> {
  record(connection: Connection, failures: readonly FailedJob[]): Answer<void>;
  list(connection: Connection, filter: FailedJobFilter): Answer<FailedJob[]>;
  find(connection: Connection, ids: readonly string[]): Answer<FailedJob[]>;
  forget(connection: Connection, uuids: readonly string[]): Answer<number>;
  flush(connection: Connection, beforeMs: number | undefined): Answer<number>;
  /** Deletes the jobs whose leases are held and records those, as one transaction. */
  fail(connection: Connection, failures: readonly Failure[]): Answer<boolean[]>;
  /**
   * Stores the jobs of the records again and removes those records, as one transaction.
   *
   * @param onStored is told what waiting workers are to be told of when it has committed, where they are.
   */
  retry(
    connection: Connection,
    uuids: readonly string[],
    onStored: (change: Change) => void,
  ): Answer<RetryOutcome[]>;
}

/** The verbs on signals. */
export interface SignalTable<Connection> {
  /** The values of the keys that are set, in one statement. */
  read(connection: Connection, keys: readonly string[]): Answer<ReadonlyMap<string, string>>;
  write(connection: Connection, key: string, value: string): Answer<void>;
  swap(connection: Connection, key: string, expected: string | null, value: string): Answer<boolean>;
}

/** The verbs on the list of live workers. */
export interface WorkerTable<Connection> {
  beat(connection: Connection, beat: Beat): Answer<void>;
  list(connection: Connection): Answer<BeatEntry[]>;
  leave(connection: Connection, id: string): Answer<void>;
  /** Removes those whose time is over, which `list` leaves out already. */
  prune(connection: Connection): Answer<void>;
}

/** The verbs on statistics, as {@link StatisticsStore} promises them. */
export interface StatisticsTable<Connection> {
  put(connection: Connection, rows: readonly StatisticsRow[]): Answer<void>;
  read(connection: Connection, range: StatisticsRange): Answer<StatisticsRow[]>;
  replace(
    connection: Connection,
    rows: readonly StatisticsRow[],
    by: readonly StatisticsRow[],
  ): Answer<boolean>;
}

/** Looks at live jobs, as {@link Connector} promises. Nothing is locked. */
export interface LiveJobTable<Connection> {
  peek(connection: Connection, queue: string, options: Peek): Answer<LiveJob[]>;
  find(connection: Connection, queue: string, id: string): Answer<LiveJob | null>;
}

/** The verbs on ended jobs, as {@link HistoryStore} promises them. */
export interface EndedJobTable<Connection> {
  add(connection: Connection, ended: readonly EndedJob[]): Answer<void>;
  list(connection: Connection, filter: HistoryFilter): Answer<EndedJob[]>;
  find(connection: Connection, jobIds: readonly string[]): Answer<EndedJob[]>;
  prune(connection: Connection, keep: HistoryBounds): Answer<number>;
}

/** A connection beside the pool, and how to close it. */
export interface Alone<Connection> {
  readonly connection: Connection;
  end(): Promise<void>;
}

/** One whose calls, its end too, have the time that a verb has. */
export interface BoundedAlone<Connection> extends Alone<Connection> {
  /**
   * Runs `task` on it. One at a time.
   *
   * @throws QueueError for whatever goes wrong; `E_STORE_UNAVAILABLE` past the deadline, when the connection has been cut off.
   */
  ask<T>(task: (connection: Connection) => Promise<T>): Promise<T>;
}

/** A change of a queue that waiting workers are told of. */
export interface Change {
  readonly queue: string;
  /** How many jobs may be due now: so many waiting processes are told. All are where one may be due later. */
  readonly jobs: number | 'later';
}

/** What listens for news. */
export interface Listener {
  /**
   * Says to all that push that this process waits for a queue. What is committed after it has resolved is told.
   * Absent where all changes are told anyway.
   */
  announce?(queue: string): Promise<void>;
  /** Says that this process waits no longer; told of a queue that is not announced, it does nothing. */
  withdraw?(queue: string): Promise<void>;
  /**
   * How long after a look the next one makes sense, in ms, though nothing was heard meanwhile. Absent where all is
   * heard.
   *
   * @param quietMs how long ago something was heard or found.
   */
  lookAgainMs?(quietMs: number): number;
  /** How far apart looks are in the long run, in ms, though more is heard. Absent where only what matters is heard. */
  readonly lookEveryMs?: number;
  end(): Promise<void>;
}

/** What a listener calls. */
export interface Hearing {
  /**
   * @param queue the one that changed; any may have where it is not given.
   * @param isForAll false where a job is due that one wait is to see to.
   */
  onChange(queue: string | undefined, isForAll: boolean): void;
  /** Something changed, of which one look tells all: no more are to follow it. */
  onVisible(): void;
  /** Once, when the listening is ended from without. */
  onEnd(): void;
}

/** How waiting workers hear of jobs that others push, release or give back. */
export interface News<Connection> {
  /** @param openAlone opens a connection beside the pool, for a database that tells its news to one. */
  listen(openAlone: () => Promise<BoundedAlone<Connection>>, hearing: Hearing): Promise<Listener>;
  /** Tells those that wait of changes that are committed; answers whether anybody did. Absent where all are told. */
  tell?(connection: Connection, changes: readonly Change[]): Answer<boolean>;
}

/** What a look at queues sees. */
export interface Sight {
  /** How long until the next job of the queues is due, in ms: 0 or less is now, Infinity is not in sight. */
  readonly msUntilDue: number;
  /** The values of the signals asked for, without those that are not set. */
  readonly signals: ReadonlyMap<string, string>;
}

/** Looks at queues and signals, which may be none, in one statement, without a lock. */
export interface LookTable<Connection> {
  /** @param beats are stored along, where the traits have them go along. */
  look(
    connection: Connection,
    queues: readonly string[],
    signals: readonly string[],
    beats?: readonly Beat[],
  ): Answer<Sight>;
}

/** An index of a table, the primary key aside. */
export interface TableIndex {
  /** In the order of the index. */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

/** What `queue:doctor` asks a database. Changes nothing. */
export interface Health<Connection> {
  /** Undefined where there is no such table. */
  indexes(connection: Connection, table: string): Answer<readonly TableIndex[] | undefined>;
  /** Milliseconds since the epoch by the server's clock. Absent where that is the host's. */
  nowMs?(connection: Connection): Promise<number>;
  /** What is particular to the kind of database. */
  findings(connection: Connection): Answer<readonly Finding[]>;
}

/** One step of the schema that has been taken for one table. */
export interface AppliedStep {
  readonly name: string;
  /** The table's name in the database. */
  readonly table: string;
}

/** One step of the schema to take now. */
export interface PlannedStep extends AppliedStep {
  readonly statements: readonly string[];
}

/** The record of the schema's steps. */
export interface SchemaHistory<Connection> {
  /** The steps taken for these tables; none where the history table itself is missing. */
  applied(connection: Connection, tables: TableNames): Answer<AppliedStep[]>;
  /**
   * Asks `plan` what is left to do, does it and notes it, while no other process can do the same. Either
   * all of it is done or, when anything throws, nothing.
   */
  apply(
    connection: Connection,
    tables: TableNames,
    plan: (applied: readonly AppliedStep[]) => readonly PlannedStep[],
  ): Answer<PlannedStep[]>;
  /** The statements with which somebody else can take the steps and note them. */
  script(steps: readonly PlannedStep[]): string[];
}
