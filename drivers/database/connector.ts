import type {
  Connector,
  FailedJobStore,
  Failure,
  Finding,
  Lease,
  NewJob,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
  SignalStore,
} from '../../src/index.js';
import type { JobTable } from './dialects/dialect.js';
import type { DatabaseFailedJobs } from './failed-jobs.js';
import type { Session } from './session.js';
import type { DatabaseSignals } from './signals.js';
import type { Waits } from './waits.js';

/** The contract on tables of one SQL database. The verbs' statements are the dialect's. */
export class DatabaseConnector<Connection> implements Connector {
  readonly failedJobs: FailedJobStore;
  readonly signals: SignalStore;
  readonly waitForJob?: NonNullable<Connector['waitForJob']>;
  readonly deleteAndReserve?: NonNullable<Connector['deleteAndReserve']>;
  readonly #session: Session<Connection>;
  readonly #jobs: JobTable<Connection>;
  readonly #waits: Waits<Connection> | undefined;
  readonly #wholeScript: (dialect?: string) => Promise<string[]>;
  readonly #failedJobs: DatabaseFailedJobs<Connection>;
  readonly #diagnose: () => Promise<Finding[]>;

  constructor(
    session: Session<Connection>,
    jobs: JobTable<Connection>,
    failedJobs: DatabaseFailedJobs<Connection>,
    signals: DatabaseSignals<Connection>,
    wholeScript: (dialect?: string) => Promise<string[]>,
    waits: Waits<Connection> | undefined,
    diagnose: () => Promise<Finding[]>,
  ) {
    this.#diagnose = diagnose;
    this.#waits = waits;
    if (waits !== undefined) {
      this.waitForJob = (queues, maxWaitMs, signal) => waits.forJob(queues, maxWaitMs, signal);
    }
    const deleteAndReserve = jobs.deleteAndReserve?.bind(jobs);
    if (deleteAndReserve !== undefined) {
      this.deleteAndReserve = (...asked) =>
        session.run((connection) => deleteAndReserve(connection, ...asked));
    }
    this.#wholeScript = wholeScript;
    this.#session = session;
    this.#jobs = jobs;
    this.#failedJobs = failedJobs;
    this.failedJobs = failedJobs;
    this.signals = signals;
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#session.run((connection) => this.#jobs.push(connection, queue, jobs));
  }

  reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    return this.#session.run((connection) => this.#jobs.reserve(connection, queues, limit, leaseMs));
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return this.#session.run((connection) => this.#jobs.extend(connection, leases, leaseMs));
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    return this.#session.run((connection) => this.#jobs.delete(connection, leases));
  }

  release(releases: readonly Release[]): Promise<boolean[]> {
    return this.#session.run((connection) => this.#jobs.release(connection, releases));
  }

  postpone(releases: readonly Release[]): Promise<boolean[]> {
    return this.#session.run((connection) => this.#jobs.postpone(connection, releases));
  }

  unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    return this.#session.run((connection) => this.#jobs.unreserve(connection, leases));
  }

  pushIn(transaction: unknown, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#session.within(transaction, (connection) => this.#jobs.pushWithin(connection, queue, jobs));
  }

  deleteIn(transaction: unknown, leases: readonly Lease[]): Promise<boolean[]> {
    return this.#session.within(transaction, (connection) => this.#jobs.deleteWithin(connection, leases));
  }

  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.#failedJobs.fail(failures);
  }

  size(queue: string): Promise<QueueSize> {
    return this.#session.run((connection) => this.#jobs.size(connection, queue));
  }

  longestWaitMs(queue: string): Promise<number | null> {
    return this.#session.run((connection) => this.#jobs.longestWaitMs(connection, queue));
  }

  clear(queue: string, options: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    return this.#session.run((connection) => this.#jobs.clear(connection, queue, options.reserved ?? false));
  }

  migrate(): Promise<string[]> {
    return this.#session.migrate();
  }

  schemaSql(options: { readonly whole?: boolean; readonly dialect?: string } = {}): Promise<string[]> {
    const { dialect, whole = dialect !== undefined } = options;
    return whole ? this.#wholeScript(dialect) : this.#session.pendingScript();
  }

  diagnose(): Promise<Finding[]> {
    return this.#diagnose();
  }

  async close(): Promise<void> {
    // Both at once: a wait that begins now shall find the session closed, one under way shall just end.
    await Promise.all([this.#session.close(), this.#waits?.close()]);
  }
}
