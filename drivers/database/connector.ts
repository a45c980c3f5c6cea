import type {
  Connector,
  FailedJobStore,
  Failure,
  Finding,
  HistoryStore,
  Lease,
  LiveJob,
  NewJob,
  Peek,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
  SignalStore,
  StatisticsStore,
  WorkerRegistry,
} from '../../src/index.js';
import type { Dialect, JobTable, PushedAndTold } from './dialects/dialect.js';
import { isDueAtOnce } from './dialects/reserved-job.js';
import { aboutJobs } from './errors.js';
import type { DatabaseFailedJobs } from './failed-jobs.js';
import type { Looks } from './looks.js';
import type { Session } from './session.js';
import type { DatabaseSignals } from './signals.js';
import type { Teller } from './teller.js';
import { afterEnd } from './transaction.js';
import type { Waits } from './waits.js';
import type { DatabaseWorkers } from './workers.js';

/** What a connector is made of. */
export interface ConnectorParts<Connection, D extends Dialect<Connection>> {
  readonly session: Session<Connection, D>;
  readonly failedJobs: DatabaseFailedJobs<Connection>;
  readonly signals: DatabaseSignals<Connection>;
  readonly workers: DatabaseWorkers<Connection>;
  readonly statistics: StatisticsStore;
  readonly history: HistoryStore;
  readonly looks: Looks<Connection>;
  /** Absent where nobody has to be told of new jobs. */
  readonly teller: Teller<Connection> | undefined;
  /** Absent where nobody else can change anything. */
  readonly waits: Waits<Connection> | undefined;
  /** As of the contract. */
  readonly prefetch?: number;
  /** As of the contract. */
  readonly isInProcess?: boolean;
  readonly diagnose: () => Promise<Finding[]>;
  readonly wholeScript: (dialect?: string) => Promise<string[]>;
}

/** The contract on tables of one SQL database. The verbs' statements are the dialect's. */
export class DatabaseConnector<Connection, D extends Dialect<Connection>> implements Connector {
  readonly failedJobs: FailedJobStore;
  readonly signals: SignalStore;
  readonly statistics: StatisticsStore;
  readonly history: HistoryStore;
  readonly workers: WorkerRegistry;
  readonly prefetch?: number;
  readonly isInProcess?: boolean;
  readonly waitForJob?: NonNullable<Connector['waitForJob']>;
  protected readonly parts: ConnectorParts<Connection, D>;
  readonly #session: Session<Connection, D>;

  constructor(parts: ConnectorParts<Connection, D>) {
    const { session, waits, prefetch, isInProcess } = parts;
    if (prefetch !== undefined) this.prefetch = prefetch;
    if (isInProcess) this.isInProcess = true;
    if (waits !== undefined) {
      this.waitForJob = (queues, maxWaitMs, signal) => waits.forJob(queues, maxWaitMs, signal);
    }
    this.parts = parts;
    this.#session = session;
    this.failedJobs = parts.failedJobs;
    this.signals = parts.signals;
    this.statistics = parts.statistics;
    this.history = parts.history;
    this.workers = parts.workers;
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#pushAndTell(queue, jobs).catch((error: unknown) => {
      throw aboutJobs(error, jobs);
    });
  }

  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    const jobs = await this.#session.run((connection, dialect) =>
      dialect.jobs.reserve(connection, queues, limit, leaseMs),
    );
    if (jobs.length > 0) this.parts.waits?.noteWork();
    return jobs;
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return this.#session.run((connection, dialect) => dialect.jobs.extend(connection, leases, leaseMs));
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    // A worker that has jobs to delete has them in memory until then.
    return this.#session.run((connection, dialect) => dialect.jobs.delete(connection, leases), true);
  }

  async release(releases: readonly Release[]): Promise<boolean[]> {
    const held = await this.#session.run((connection, dialect) => dialect.jobs.release(connection, releases));
    this.tellOfReleased(releases);
    return held;
  }

  async postpone(releases: readonly Release[]): Promise<boolean[]> {
    const held = await this.#session.run((connection, dialect) =>
      dialect.jobs.postpone(connection, releases),
    );
    this.tellOfReleased(releases);
    return held;
  }

  async pushIn(transaction: unknown, queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const outcomes = await this.#session.within(transaction, (connection, dialect) =>
      dialect.jobs.pushWithin(connection, queue, jobs),
    );
    afterEnd(transaction, () => this.#tellOfPushed(queue, jobs));
    return outcomes;
  }

  deleteIn(transaction: unknown, leases: readonly Lease[]): Promise<boolean[]> {
    return this.#session.within(transaction, (connection, dialect) =>
      dialect.jobs.deleteWithin(connection, leases),
    );
  }

  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.parts.failedJobs.fail(failures);
  }

  size(queue: string): Promise<QueueSize> {
    return this.#session.run((connection, dialect) => dialect.jobs.size(connection, queue));
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return this.#session.run((connection, { liveJobs }) => liveJobs.peek(connection, queue, options));
  }

  find(queue: string, id: string): Promise<LiveJob | null> {
    return this.#session.run((connection, { liveJobs }) => liveJobs.find(connection, queue, id));
  }

  clear(queue: string, options: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    return this.#session.run((connection, dialect) =>
      dialect.jobs.clear(connection, queue, options.reserved ?? false),
    );
  }

  migrate(): Promise<string[]> {
    return this.#session.migrate();
  }

  schemaSql(options: { readonly whole?: boolean; readonly dialect?: string } = {}): Promise<string[]> {
    const { dialect, whole = dialect !== undefined } = options;
    return whole ? this.parts.wholeScript(dialect) : this.#session.pendingScript();
  }

  diagnose(): Promise<Finding[]> {
    return this.parts.diagnose();
  }

  async close(): Promise<void> {
    const { teller, waits, workers } = this.parts;
    teller?.stop();
    workers.close();
    const tellLast = teller && ((connection: Connection, dialect: D) => teller.tellLast(connection, dialect));
    // Both at once: a wait that begins now shall find the session closed, one under way shall just end.
    await Promise.all([this.#session.close(tellLast), waits?.close()]);
  }

  #pushAndTell(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const { teller } = this.parts;
    if (teller === undefined) return this.#pushUntold(queue, jobs);
    if (teller.isQuiet && jobs.length > 0 && jobs.every(isDueAtOnce)) {
      const push = () =>
        this.#session.run((connection, { jobs: table }) => pushTelling(table, connection, queue, jobs));
      return teller.tellAlong({ queue, jobs: jobs.length }, push);
    }
    return this.#pushUntold(queue, jobs).then((outcomes) => {
      this.#tellOfPushed(queue, jobs);
      return outcomes;
    });
  }

  #pushUntold(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#session.run((connection, dialect) => dialect.jobs.push(connection, queue, jobs));
  }

  #tellOfPushed(queue: string, jobs: readonly NewJob[]): void {
    if (jobs.length > 0)
      this.parts.teller?.tell({ queue, jobs: jobs.every(isDueAtOnce) ? jobs.length : 'later' });
  }

  /** Says that these jobs are back. */
  protected tellOfReleased(releases: readonly Release[]): void {
    for (const { lease, delayMs } of releases) {
      this.parts.teller?.tell({ queue: lease.queue, jobs: delayMs > 0 ? 'later' : 1 });
    }
  }
}

/** Tells along with the push, where the table can. */
async function pushTelling<Connection>(
  table: JobTable<Connection>,
  connection: Connection,
  queue: string,
  jobs: readonly NewJob[],
): Promise<PushedAndTold> {
  if (table.pushTelling !== undefined) return await table.pushTelling(connection, queue, jobs);
  return { outcomes: await table.push(connection, queue, jobs), told: 0 };
}
