import { startAttempt } from './attempt.js';
import type { AttemptContext, AttemptEnd } from './attempt-context.js';
import { type Clock, systemClock } from './clock.js';
import { Connections } from './connections.js';
import type { Connector, ReservedJob } from './connector.js';
import { isQueueError, QueueError } from './errors.js';
import { QueueEvents } from './events.js';
import { FailedJobs } from './failed-jobs-api.js';
import { HeldJob } from './held-job.js';
import { Histories } from './history.js';
import { type Logger, safeLogger, silentLogger } from './logger.js';
import { monotonicMs } from './monotonic.js';
import { checkOptionNames } from './option-names.js';
import { type QueueConfig, queueConfigKeys } from './queue-config.js';
import { type JobSource, Registry } from './registry.js';
import { Rounds } from './rounds.js';
import { RunningWorkers } from './running-workers.js';
import { Settler } from './settler.js';
import { shown } from './shown.js';
import { Sightings } from './sightings.js';
import { Statistics } from './statistics.js';
import { Timeouts } from './timeouts.js';
import { isTracer } from './tracing.js';
import { deleteIn } from './transaction.js';
import { nativeFormat } from './wire-format.js';
import { type CheckedWorkerOptions, checkWorkerOptions } from './worker-options.js';

/** What the `Queue` objects of one config share. */
export class QueueCore {
  readonly config: QueueConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly registry: Registry;
  readonly events: QueueEvents;
  readonly failed: FailedJobs;
  readonly statistics: Statistics;
  readonly history: Histories;
  /** Those that are open: they are sent before the connections close. */
  readonly buffers = new Set<{ close(): Promise<void> }>();
  readonly workers = new RunningWorkers();
  readonly #inlineContexts = new Map<string, AttemptContext>();

  constructor(config: QueueConfig) {
    assertConfig(config);
    const logger = safeLogger(config.logger ?? silentLogger);
    this.config = { ...config, logger };
    this.logger = logger;
    this.clock = config.clock ?? systemClock;
    const { maxPayloadBytes = 1 } = config;
    if (!(Number.isSafeInteger(maxPayloadBytes) && maxPayloadBytes > 0)) {
      throw new QueueError(
        'E_CONFIG',
        `maxPayloadBytes: ${shown(maxPayloadBytes)} is not a whole number from 1 up`,
      );
    }
    if (typeof (config.statistics ?? true) !== 'boolean') {
      throw new QueueError('E_CONFIG', `statistics: ${shown(config.statistics)} is not true or false`);
    }
    assertTracer(config.tracing);
    assertShared(config);
    this.events = new QueueEvents(logger);
    this.registry = new Registry(config.names, (error, name) => {
      logger.warn({ err: error, name }, 'the rule for names failed');
    });
    for (const [name, source] of jobsOf(config)) this.registry.add(source, name);
    this.connections = new Connections(this.config, (job, connector, connection) =>
      this.#runInline(job, connector, connection),
    );
    this.failed = new FailedJobs(this.connections, this.clock);
    this.statistics = new Statistics(config, this.connections, this.clock, logger);
    this.history = new Histories(this.connections, this.clock, logger);
  }

  /** @throws QueueError `E_JOB_NOT_LOADED` when the config's globs are still globs. */
  assertJobsLoaded(): void {
    const globs = [...globsOf(this.config), ...[this.config.consumers ?? []].flat()];
    if (globs.length === 0) return;
    throw new QueueError('E_JOB_NOT_LOADED', `the job files of ${globs.join(', ')} are not loaded`, {
      fix: "Make the queue with `await openQueue({ config })` of 'drover/config', or list the jobs themselves.",
    });
  }

  /** What attempts on a connection work with. */
  attemptContext(connection: string, connector: Connector, options: CheckedWorkerOptions): AttemptContext {
    const { clock, config, connections, registry, events, logger } = this;
    const inline = connector.inline ?? false;
    const { settings, wire = nativeFormat } = connections.driver(connection);
    const { leaseMs } = settings;
    const failedPlace = connections.failedPlace(connection);
    return {
      connection,
      registry,
      wire,
      settler: new Settler(connector, failedPlace, leaseMs, logger, inline),
      defaults: options,
      timeouts: new Timeouts(),
      rounds: inline ? undefined : new Rounds(),
      deleteIn: (transaction, lease) => deleteIn(connector, transaction, lease),
      events,
      logger,
      clock,
      onFailed: config.onFailed,
      statistics: this.statistics.of(connection),
      history: this.history.of(connection),
      tracer: config.tracing,
      sightings: new Sightings(),
      inline,
    };
  }

  /** Ends workers, sends what is buffered, refuses new work, writes statistics and history and closes the connections. */
  async close(): Promise<void> {
    if (!this.workers.isEmpty) await this.workers.end();
    if (this.buffers.size > 0) await Promise.all([...this.buffers].map((buffer) => buffer.close()));
    return this.connections.close(async () => {
      await Promise.all([this.statistics.flush(), this.history.flush()]);
    });
  }

  /** One attempt whose error is thrown to the pusher: nobody else is there to see it. */
  async #runInline(job: ReservedJob, connector: Connector, connection: string): Promise<void> {
    const context = this.#inlineContext(connection, connector);
    const held = new HeldJob(job, monotonicMs());
    const end = await new Promise<AttemptEnd>((resolve) => {
      startAttempt(held, context, (_, end) => resolve(end));
    });
    if (isQueueError(end.error, 'E_JOB_UNKNOWN')) this.assertJobsLoaded();
    if (end.outcome === 'kept') {
      throw new QueueError(
        'E_INLINE_CONNECTION',
        `connection ${connection} cannot keep the job that its handler did not settle`,
      );
    }
    if ('error' in end) throw end.error;
  }

  #inlineContext(connection: string, connector: Connector): AttemptContext {
    const known = this.#inlineContexts.get(connection);
    if (known) return known;
    const { settings } = this.connections.driver(connection);
    const options = checkWorkerOptions(this.config.worker ?? {}, { name: connection, ...settings });
    const context = this.attemptContext(connection, connector, options);
    this.#inlineContexts.set(connection, context);
    return context;
  }
}

function assertConfig(config: unknown): void {
  if (typeof config !== 'object' || config === null) {
    throw new QueueError('E_CONFIG', `createQueue: ${shown(config)} is not a config`, {
      fix: 'Write createQueue({ connections: { default: memory() } }).',
    });
  }
  checkOptionNames(config, queueConfigKeys, 'createQueue');
}

function assertTracer(tracer: unknown): void {
  if (tracer === undefined || isTracer(tracer)) return;
  throw new QueueError('E_CONFIG', `tracing: ${shown(tracer)} is no tracer`, {
    fix: "Write tracing: opentelemetry(), imported from 'drover/opentelemetry'.",
  });
}

/** Checks what is shared with another program. */
function assertShared({ names, thinkCache }: QueueConfig): void {
  if (names !== undefined && typeof names !== 'function') {
    throw new QueueError('E_CONFIG', `names: ${shown(names)} is not a function`, {
      fix: "Write names: phpNames(), imported from 'drover'.",
    });
  }
  if (thinkCache === undefined || (typeof thinkCache === 'string' && thinkCache !== '')) return;
  throw new QueueError('E_CONFIG', `thinkCache: ${shown(thinkCache)} is not a folder`, {
    fix: "Write thinkCache: '../shop/runtime/cache'.",
  });
}

function* jobsOf({ jobs = [] }: QueueConfig): Generator<[name: string | undefined, source: JobSource]> {
  if (typeof jobs === 'string') return;
  if (Array.isArray(jobs)) {
    for (const job of jobs) if (typeof job !== 'string') yield [undefined, job];
  } else {
    yield* Object.entries(jobs as Record<string, JobSource>); // the registry refuses what is none
  }
}

function globsOf({ jobs }: QueueConfig): string[] {
  if (typeof jobs === 'string') return [jobs];
  return Array.isArray(jobs) ? jobs.filter((job) => typeof job === 'string') : [];
}
