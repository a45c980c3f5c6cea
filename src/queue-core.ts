import { type AttemptContext, runAttempt } from './attempt.js';
import { systemClock } from './clock.js';
import { Connections } from './connections.js';
import type { Connector, ReservedJob } from './connector.js';
import { isQueueError, QueueError } from './errors.js';
import { QueueEvents } from './events.js';
import { FailedJobs } from './failed-jobs-api.js';
import { silentLogger } from './logger.js';
import type { QueueConfig } from './queue-config.js';
import { type JobSource, Registry } from './registry.js';
import { Settler } from './settler.js';
import { type CheckedWorkerOptions, checkWorkerOptions } from './worker-options.js';

/** What the `Queue` objects of one config share. */
export class QueueCore {
  readonly config: QueueConfig;
  readonly connections: Connections;
  readonly registry = new Registry();
  readonly events: QueueEvents;
  readonly failed: FailedJobs;
  readonly #inlineContexts = new Map<string, AttemptContext>();

  constructor(config: QueueConfig) {
    this.config = config;
    this.events = new QueueEvents(config.logger ?? silentLogger);
    for (const [name, source] of jobsOf(config)) this.registry.add(source, name);
    this.connections = new Connections(config, (job, connector, connection) =>
      this.#runInline(job, connector, connection),
    );
    this.failed = new FailedJobs(this.connections);
  }

  /** @throws QueueError `E_JOB_NOT_LOADED` when the config's globs are still globs. */
  assertJobsLoaded(): void {
    const globs = globsOf(this.config);
    if (globs.length === 0) return;
    throw new QueueError('E_JOB_NOT_LOADED', `the job files of ${globs.join(', ')} are not loaded`, {
      fix: "Make the queue with `await openQueue({ config })` of 'drover/config', or list the jobs themselves.",
    });
  }

  /** What attempts on a connection work with. */
  attemptContext(connection: string, connector: Connector, options: CheckedWorkerOptions): AttemptContext {
    const { config, connections, registry, events } = this;
    const logger = config.logger ?? silentLogger;
    const inline = connector.inline ?? false;
    const { leaseMs } = connections.driver(connection).settings;
    const failedPlace = connections.failedPlace(connection);
    return {
      connection,
      registry,
      settler: new Settler(connector, failedPlace, leaseMs, logger, inline),
      defaults: options,
      events,
      logger,
      clock: config.clock ?? systemClock,
      inline,
    };
  }

  /** One attempt whose error is thrown to the pusher: nobody else is there to see it. */
  async #runInline(job: ReservedJob, connector: Connector, connection: string): Promise<void> {
    const end = await runAttempt(job, this.#inlineContext(connection, connector));
    if (isQueueError(end.error, 'E_JOB_UNKNOWN')) this.assertJobsLoaded();
    if (end.outcome === 'failed' || end.outcome === 'unsettled') throw end.error;
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

function* jobsOf({ jobs = [] }: QueueConfig): Generator<[name: string | undefined, source: JobSource]> {
  if (typeof jobs === 'string') return;
  const entries = Array.isArray(jobs) ? jobs.map((job) => [undefined, job] as const) : Object.entries(jobs);
  for (const [name, job] of entries) if (typeof job !== 'string') yield [name, job];
}

function globsOf({ jobs }: QueueConfig): string[] {
  if (typeof jobs === 'string') return [jobs];
  return Array.isArray(jobs) ? jobs.filter((job) => typeof job === 'string') : [];
}
