import { BufferedQueue, type BufferOptions } from './buffered-queue.js';
import type { Connector, QueueSize } from './connector.js';
import type { DiagnoseOptions } from './diagnose.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import type { FailedJobs } from './failed-jobs-api.js';
import type { Finding } from './finding.js';
import type { FoundJob, ListOptions } from './job-listing.js';
import type { ListedJob } from './job-views.js';
import { makeWorker } from './make-worker.js';
import type { MonitoredQueue, MonitorOptions } from './monitor.js';
import { checkQueueName } from './names.js';
import { type Pauses, pauseIn, pausesOf, resumeIn } from './pauses.js';
import { Pusher } from './pusher.js';
import type { QueueConfig } from './queue-config.js';
import { QueueCore } from './queue-core.js';
import { type SignalStore, signalRestart } from './restart-signal.js';
import type { QueueStats, StatsOptions } from './statistics-report.js';
import { thinkFileCache } from './think-file-cache.js';
import type { Worker } from './worker.js';
import type { WorkerInfo } from './worker-info.js';
import type { WorkerOptions } from './worker-options.js';
import type { WorkerWatch } from './worker-watch.js';

/**
 * Makes a queue from a config. Nothing is opened until it is needed.
 *
 * @throws QueueError `E_CONFIG`, `E_CONNECTION_UNKNOWN`, `E_JOB_NAME`, `E_JOB_DUPLICATE`.
 */
export function createQueue(config: QueueConfig): Queue {
  return new Queue(new QueueCore(config));
}

/** Pushes jobs to one connection, makes workers for it, and tells of its jobs. Made by {@link createQueue}. */
export class Queue extends Pusher {
  readonly #core: QueueCore;

  /** @internal */
  constructor(core: QueueCore, connectionName = core.connections.defaultName) {
    super(core, connectionName);
    this.#core = core;
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
    return new Pusher(this.#core, this.connectionName, transaction);
  }

  /**
   * Takes pushes into memory and stores them in batches: for many pushes that shall not wait for the store one by one.
   * What is in memory is lost with a process that is killed. Close it, or the queue, in the end.
   *
   * @throws QueueError `E_CONFIG` or `E_DURATION` for an option that cannot be.
   */
  buffered(options: BufferOptions = {}): BufferedQueue {
    const buffer = new BufferedQueue(this.#core, this.connectionName, options);
    this.#core.buffers.add(buffer);
    return buffer;
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
    const { listJobs, listingSource } = await import('./operations.js');
    return await listJobs(options, await listingSource(this.#core, this.connectionName));
  }

  /**
   * The jobs of an id, or the failed one of a uuid, in whatever state: none, one, or one of each queue that had such a
   * job. A live job is looked for in one queue only, the connection's own where none is named.
   *
   * @throws QueueError `E_QUEUE_NAME`.
   */
  async find(id: string, options: { readonly queue?: string } = {}): Promise<FoundJob[]> {
    const { findJobs, listingSource } = await import('./operations.js');
    return await findJobs(id, options.queue, await listingSource(this.#core, this.connectionName));
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
    const { monitor } = await import('./operations.js');
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
    return makeWorker(this.#core, this.connectionName, options, watch);
  }

  /**
   * Asks every worker of this connection that does not stop by itself to finish its jobs and exit; with `thinkCache`
   * in the config also those that read that file, whatever their connection.
   *
   * @throws QueueError `E_UNSUPPORTED` where neither the store nor a file can carry the signal.
   */
  async restartWorkers(): Promise<void> {
    const file = thinkFileCache(this.#core.config);
    if (file) await signalRestart(file, Date.now());
    if (file && !this.#connector().signals) return;
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
    return await pausesOf(this.#connector().signals);
  }

  /**
   * The workers of this connection, in whatever process, by start. One that was killed is listed as `gone?` before it
   * is forgotten, after about ten seconds.
   *
   * @throws QueueError `E_UNSUPPORTED` where the store keeps no list.
   */
  async workers(): Promise<WorkerInfo[]> {
    const { listWorkers } = await import('./operations.js');
    return await listWorkers(this.#connector(), this.connectionName);
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
    const { diagnose } = await import('./operations.js');
    return await diagnose({ connection: this.connectionName, config, connections, registry, clock }, options);
  }

  /**
   * Stops the workers that were started here, as an aborted signal does, sends what is buffered, writes statistics and
   * history and closes all connections that drover opened. Pushes after it reject with `E_QUEUE_CLOSED`; those of jobs that
   * still run are stored. A job that waits for it in its handler waits for itself, until `shutdownTimeout`.
   */
  close(): Promise<void> {
    return this.#core.close();
  }

  #connector(): Connector {
    return this.#core.connections.connector(this.connectionName);
  }

  #signals(what: string): SignalStore {
    const { signals } = this.#connector();
    if (signals) return signals;
    throw new QueueError('E_UNSUPPORTED', `connection ${this.connectionName} carries no ${what}`);
  }

  #queueName(queue: string | undefined): string {
    if (queue !== undefined) return checkQueueName(queue);
    return this.#core.connections.driver(this.connectionName).settings.queue;
  }
}

function optionalName(queue: string | undefined): string | undefined {
  return queue === undefined ? undefined : checkQueueName(queue);
}
