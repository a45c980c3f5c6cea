import type { Connector, QueueSize } from './connector.js';
import { type DiagnoseOptions, diagnose } from './diagnose.js';
import type { Duration } from './duration.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import type { FailedJobs } from './failed-jobs-api.js';
import type { Finding } from './finding.js';
import type { JobClass } from './job-class.js';
import type { JobDefinition } from './job-definition.js';
import { type FoundJob, findJobs, type ListingSource, type ListOptions, listJobs } from './job-listing.js';
import type { ListedJob } from './job-views.js';
import { withFields } from './logger.js';
import { type MonitoredQueue, type MonitorOptions, monitor } from './monitor.js';
import { checkQueueName } from './names.js';
import { noPauses, type Pauses, pausedKey, pauseIn, readPauses, resumeIn } from './pauses.js';
import { preparePush } from './prepare-push.js';
import type { PreparedJob, PushOptions } from './push.js';
import type { QueueConfig } from './queue-config.js';
import { QueueCore } from './queue-core.js';
import { type SignalStore, signalRestart } from './restart-signal.js';
import { shown } from './shown.js';
import type { QueueStats, StatsOptions } from './statistics-report.js';
import { storeAll, storeOne } from './store-jobs.js';
import { type PushedJobs, type PushTrace, tracePush } from './tracing.js';
import { nativeFormat } from './wire-format.js';
import { Worker } from './worker.js';
import { type WorkerInfo, workerInfo } from './worker-info.js';
import { checkWorkerOptions, type WorkerOptions } from './worker-options.js';
import type { WorkerWatch } from './worker-watch.js';

/** What can be pushed: a definition (data is typed), a registered class, or a wire name. */
export type Pushable<Input = unknown> = JobDefinition<Input, unknown> | JobClass | string;

/** Data and options of a push. Data may be left out only where the job's type of data allows undefined. */
type PushArguments<Input, Options = PushOptions> = undefined extends Input
  ? [data?: Input, options?: Options]
  : [data: Input, options?: Options];

/** One job of a `pushMany`. */
export type PushEntry = readonly [job: Pushable, data?: unknown, options?: PushOptions];

/** Jobs of one queue on one connection. */
interface PushGroup {
  readonly connection: string;
  readonly queue: string;
  readonly jobs: PreparedJob[];
  /** Where each of them stands in the list that was pushed. */
  readonly places: number[];
}

/**
 * Makes a queue from a config. Nothing is opened until it is needed.
 *
 * @throws QueueError `E_CONFIG`, `E_CONNECTION_UNKNOWN`, `E_JOB_NAME`, `E_JOB_DUPLICATE`.
 */
export function createQueue(config: QueueConfig): Queue {
  return new Queue(new QueueCore(config));
}

/** Pushes jobs to one connection, and makes workers for it. Made by {@link createQueue}. */
export class Queue {
  /** The name of the connection that this object works on. */
  readonly connectionName: string;
  readonly #core: QueueCore;
  readonly #transaction: unknown;

  /** @internal */
  constructor(core: QueueCore, connectionName = core.connections.defaultName, transaction?: unknown) {
    this.#core = core;
    this.connectionName = connectionName;
    this.#transaction = transaction;
  }

  /** What happened to jobs and workers of this process. */
  get events(): QueueEvents {
    return this.#core.events;
  }

  /** The failed jobs of all connections. */
  get failed(): FailedJobs {
    return this.#core.failed;
  }

  /** Wire names of the jobs that this process can run, sorted. */
  get jobNames(): string[] {
    return this.#core.registry.names;
  }

  /** True where this process could run a job of this wire name, `@method` included. */
  hasJob(wireName: string): boolean {
    return this.#core.registry.find(wireName) !== undefined;
  }

  /** Names of the connections in the config. */
  get connectionNames(): string[] {
    return this.#core.connections.names;
  }

  /** The same queue on another connection; both are closed together. */
  connection(name: string): Queue {
    this.#core.connections.driver(name);
    return new Queue(this.#core, name);
  }

  /**
   * Pushes inside a transaction of the application: the jobs are stored when it commits, and never if it rolls back.
   * For connections of the database driver whose tables are in the transaction's database; a refused push leaves
   * it to you to roll back.
   *
   * @param transaction a knex transaction. Its pushes reject with `E_UNSUPPORTED` where the store knows none.
   */
  using(transaction: object): Pick<Queue, 'push' | 'later' | 'bulk' | 'pushMany'> {
    return new Queue(this.#core, this.connectionName, transaction);
  }

  /**
   * Stores a job and answers its id. On a `sync` connection the job runs before this resolves, and its error
   * rejects.
   *
   * @throws QueueError for a job, data or option that cannot be (nothing was stored), or the store's error.
   */
  async push<Input>(job: Pushable<Input>, ...args: PushArguments<Input>): Promise<string> {
    const [data, options = {}] = args;
    return await tracePush(this.#core.config.tracing, (trace) => this.#push(job, data, options, trace));
  }

  async #push(job: Pushable, data: unknown, options: PushOptions, trace: PushTrace): Promise<string> {
    const prepared = await this.#prepare(job, data, options, trace);
    const connection = options.connection ?? this.connectionName;
    trace.describe({ connection, queue: prepared.queue, name: prepared.name, ids: [prepared.job.id] });
    if (this.#transaction === undefined) return await storeOne(this.#core, connection, prepared);
    const [id = prepared.job.id] = await storeAll(
      this.#core,
      connection,
      prepared.queue,
      [prepared],
      this.#transaction,
    );
    return id;
  }

  /** think-queue's order of words: `later('5m', job, data)`. A bare number is seconds; a Date is a point in time. */
  later<Input>(
    delay: Duration | Date,
    job: Pushable<Input>,
    ...args: PushArguments<Input, Omit<PushOptions, 'delay' | 'at'>>
  ): Promise<string> {
    const [data, options = {}] = args;
    const due = delay instanceof Date ? { at: delay } : { delay };
    return this.push<unknown>(job, data, typeof options === 'object' ? { ...options, ...due } : options);
  }

  /** Stores one job for each item of the list, all or none, and answers their ids in order. */
  bulk<Input>(
    job: Pushable<Input>,
    dataList: readonly NoInfer<Input>[],
    options: Omit<PushOptions, 'id'> = {},
  ): Promise<string[]> {
    if ('id' in options && options.id !== undefined) {
      return Promise.reject(new QueueError('E_CONFIG', 'bulk: one id cannot be that of many jobs'));
    }
    return this.pushMany(dataList.map((data) => [job, data, options]));
  }

  /**
   * Stores jobs of different kinds and answers their ids in order. All are checked before the first is stored;
   * those of one queue on one connection are stored all or none.
   */
  async pushMany(entries: readonly PushEntry[]): Promise<string[]> {
    return await tracePush(this.#core.config.tracing, (trace) => this.#pushMany(entries, trace));
  }

  async #pushMany(entries: readonly PushEntry[], trace: PushTrace): Promise<string[]> {
    const groups = new Map<string, PushGroup>();
    const ids: string[] = [];
    for (const entry of entries) {
      if (!Array.isArray(entry)) {
        throw new QueueError('E_CONFIG', `pushMany: ${shown(entry)} is not a list of job, data and options`, {
          fix: 'Write pushMany([[sendMail, data], [resize, data, { delay: "1m" }]]).',
        });
      }
      const [job, data, options = {}] = entry as PushEntry;
      const prepared = await this.#prepare(job, data, options, trace);
      const connection = options.connection ?? this.connectionName;
      const key = JSON.stringify([connection, prepared.queue]);
      const group = groups.get(key) ?? { connection, queue: prepared.queue, jobs: [], places: [] };
      groups.set(key, group);
      group.jobs.push(prepared);
      group.places.push(ids.length);
      ids.push(prepared.job.id);
    }
    if (groups.size > 0) trace.describe(pushedIn([...groups.values()], ids));
    for (const { connection, queue, jobs, places } of groups.values()) {
      const stored = await storeAll(this.#core, connection, queue, jobs, this.#transaction);
      for (const [index, place] of places.entries()) ids[place] = stored[index] as string;
    }
    return ids;
  }

  /** Jobs of a queue by state. Default: the connection's own queue. */
  async size(queue?: string): Promise<QueueSize> {
    return this.#connector().size(this.#queueName(queue));
  }

  /**
   * What happened to the jobs of this connection, in all processes, and how long they ran and waited: in all, by
   * queue and job name, and for each minute or hour. What other processes counted in the last two seconds may be
   * missing.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store keeps no statistics; `E_CONFIG`, `E_DURATION` or
   * `E_QUEUE_NAME` for an option that cannot be.
   */
  stats(options: StatsOptions = {}): Promise<QueueStats> {
    return this.#core.statistics.read(this.connectionName, options);
  }

  /**
   * Lists jobs by state, without taking any: live ones in the order of their turn, then those that ended, the newest
   * first. Done jobs are listed where the connection has a `history`.
   *
   * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for an option that cannot be; `E_UNSUPPORTED` where the
   * store shows no jobs, and for `done` where the connection keeps no history.
   */
  async list(options: ListOptions = {}): Promise<ListedJob[]> {
    return await listJobs(options, await this.#listingSource());
  }

  /**
   * The jobs of an id, or the failed one of a uuid, in whatever state: none, one, or one of each queue that had such a
   * job. A live job is looked for in one queue only, the connection's own where none is named.
   *
   * @throws QueueError `E_QUEUE_NAME`.
   */
  async find(id: string, options: { readonly queue?: string } = {}): Promise<FoundJob[]> {
    return await findJobs(id, options.queue, await this.#listingSource());
  }

  /**
   * Counts the jobs of queues once, and holds them against a limit: the event `queue:busy` tells of each queue that
   * has more ready jobs.
   *
   * @throws QueueError `E_CONFIG`, `E_QUEUE_NAME`, or the store's error.
   */
  async monitor(options: MonitorOptions): Promise<MonitoredQueue[]> {
    const connection = this.connectionName;
    const from = { connection, ownQueue: this.#queueName(undefined), connector: this.#connector() };
    return await monitor(options, from, this.events);
  }

  /** Removes the ready and delayed jobs of a queue, and those that run only when asked to; answers how many. */
  async clear(queue?: string, options: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    return this.#connector().clear(this.#queueName(queue), options);
  }

  /**
   * A worker for this connection, to be started with `run`.
   *
   * @throws QueueError `E_INLINE_CONNECTION` where pushes run the jobs, `E_JOB_NOT_LOADED` where the config's
   * globs were not loaded, `E_FAILED_STORE_MISSING`, and see `WorkerOptions`.
   */
  worker(options?: WorkerOptions): Worker;
  /** @internal A worker whose jobs another process settles if this one dies. */
  worker(options: WorkerOptions, watch: WorkerWatch | undefined): Worker;
  worker(options: WorkerOptions = {}, watch?: WorkerWatch): Worker {
    const { config, connections } = this.#core;
    const name = this.connectionName;
    const { settings } = connections.driver(name);
    const checked = checkWorkerOptions({ ...config.worker, ...defined(options) }, { name, ...settings });
    const connector = connections.connector(name);
    if (connector.inline) {
      throw new QueueError(
        'E_INLINE_CONNECTION',
        `connection ${name} runs jobs as they are pushed: there is nothing to work`,
        {
          fix: 'Choose another connection, or just push.',
        },
      );
    }
    this.#core.assertJobsLoaded();
    const ofCore = this.#core.attemptContext(name, connector, checked);
    const logger =
      checked.name === undefined ? ofCore.logger : withFields(ofCore.logger, { worker: checked.name });
    const context = { ...ofCore, logger, watch };
    return new Worker(connector, settings.leaseMs, checked, context, config.maintenance);
  }

  /**
   * Asks every worker of this connection that does not stop by itself to finish its jobs and exit.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store cannot carry the signal.
   */
  async restartWorkers(): Promise<void> {
    await signalRestart(this.#signals('restart signal'), Date.now());
  }

  /**
   * Lets no worker, in whatever process, take jobs from a queue, or from any queue of the connection where none is
   * named, until `resume`: within about a second. Running jobs go on, those reserved ahead are given back, and pushes
   * are stored as ever. It outlives workers and this process. Answers what is paused now.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store cannot carry it.
   */
  async pause(queue?: string): Promise<Pauses> {
    return await pauseIn(this.#signals('pauses'), optionalName(queue), Date.now());
  }

  /**
   * Lifts the pause of a queue, or that of the whole connection where none is named; queues that were paused by name
   * stay so until they are named. Answers what is still paused.
   *
   * @throws QueueError `E_UNSUPPORTED` as `pause`.
   */
  async resume(queue?: string): Promise<Pauses> {
    return await resumeIn(this.#signals('pauses'), optionalName(queue));
  }

  /** What is paused on this connection. */
  async paused(): Promise<Pauses> {
    const { signals } = this.#connector();
    return signals ? readPauses(await signals.read(pausedKey)) : noPauses;
  }

  /**
   * The workers of this connection, in whatever process, by start. One that was killed is listed as `gone?` before it
   * is forgotten, after about ten seconds.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store keeps no list.
   */
  async workers(): Promise<WorkerInfo[]> {
    const { workers } = this.#connector();
    if (!workers) {
      throw new QueueError('E_UNSUPPORTED', `connection ${this.connectionName} keeps no list of workers`);
    }
    const infos = (await workers.list()).flatMap((entry) => workerInfo(entry) ?? []);
    return infos.sort((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1));
  }

  /** Creates or updates the tables of this connection's store; answers what was done. */
  async migrate(): Promise<string[]> {
    return (await this.#connector().migrate?.()) ?? [];
  }

  /**
   * The statements that `migrate` would run now, or with `whole` all that make the schema of this connection's
   * store; run by nobody.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store has no statements, or not in that dialect.
   */
  async schemaSql(options?: { readonly whole?: boolean; readonly dialect?: string }): Promise<string[]> {
    const connector = this.#connector();
    if (connector.schemaSql !== undefined) return await connector.schemaSql(options);
    throw new QueueError('E_UNSUPPORTED', `the store of connection ${this.connectionName} has no tables`, {
      fix: 'Name a connection of the database driver.',
    });
  }

  /**
   * What `queue:doctor` finds of this connection: its settings, its store and the jobs in it. Changes nothing, and does
   * not reject for what is wrong: a store that cannot be reached is a finding.
   */
  async diagnose(options: DiagnoseOptions = {}): Promise<Finding[]> {
    const { config, connections, registry, clock } = this.#core;
    return await diagnose({ connection: this.connectionName, config, connections, registry, clock }, options);
  }

  /** Writes statistics and history and closes all connections that drover opened. Pushes after it reject with `E_QUEUE_CLOSED`. */
  close(): Promise<void> {
    return this.#core.close();
  }

  #prepare(job: Pushable, data: unknown, options: PushOptions, { context }: PushTrace): Promise<PreparedJob> {
    return preparePush(this.#core, this.connectionName, job, data, options, context);
  }

  #connector(): Connector {
    return this.#core.connections.connector(this.connectionName);
  }

  #signals(what: string): SignalStore {
    const { signals } = this.#connector();
    if (signals) return signals;
    throw new QueueError('E_UNSUPPORTED', `connection ${this.connectionName} carries no ${what}`);
  }

  /** With what ended in this process written, so that it is seen. */
  async #listingSource(): Promise<ListingSource> {
    const { history, failed, clock, connections } = this.#core;
    const connection = this.connectionName;
    const connector = this.#connector();
    await history.of(connection)?.flush();
    const ownQueue = this.#queueName(undefined);
    return {
      connection,
      ownQueue,
      connector,
      failed,
      history: history.storeOf(connection),
      nowMs: clock.now(),
      wire: connections.driver(connection).wire ?? nativeFormat,
    };
  }

  #queueName(queue: string | undefined): string {
    if (queue !== undefined) return checkQueueName(queue);
    return this.#core.connections.driver(this.connectionName).settings.queue;
  }
}

/** What a push of many is said to store. */
function pushedIn(groups: readonly PushGroup[], ids: readonly string[]): PushedJobs {
  const [first] = groups as [PushGroup];
  const isOneQueue = groups.length === 1;
  const names = new Set(groups.flatMap(({ jobs }) => jobs.map(({ name }) => name)));
  const [name] = names;
  return {
    connection: first.connection,
    queue: isOneQueue ? first.queue : undefined,
    name: names.size === 1 ? name : undefined,
    ids,
  };
}

function optionalName(queue: string | undefined): string | undefined {
  return queue === undefined ? undefined : checkQueueName(queue);
}

/** Options that are given as undefined leave the config's default in force. */
function defined(options: WorkerOptions): WorkerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
