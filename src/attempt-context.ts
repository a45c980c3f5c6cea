import type { AttemptDefaults } from './attempt-rules.js';
import type { Clock } from './clock.js';
import type { Lease } from './connector.js';
import type { QueueEvents } from './events.js';
import type { HeldJob } from './held-job.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import type { QueueConfig } from './queue-config.js';
import type { Registry } from './registry.js';
import type { Rounds } from './rounds.js';
import type { Settler } from './settler.js';
import type { Sightings } from './sightings.js';
import type { StartRecords } from './start-records.js';
import type { StatisticsKeeper } from './statistics-keeper.js';
import type { Timeouts } from './timeouts.js';
import type { Tracer } from './tracing.js';
import type { WireFormat } from './wire-format.js';

/** What an attempt works with. One for all attempts of a worker. */
export interface AttemptContext {
  readonly connection: string;
  readonly registry: Registry;
  readonly settler: Settler;
  /** How the connection's bodies are written. */
  readonly wire: WireFormat;
  readonly defaults: AttemptDefaults;
  readonly timeouts: Timeouts;
  /** Absent where the pusher waits for the job, and nothing runs beside it. */
  readonly rounds?: Rounds | undefined;
  readonly events: QueueEvents;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called with each job that was given up, after its own hook. */
  readonly onFailed?: QueueConfig['onFailed'] | undefined;
  /** True where the pusher waits for the job: it runs once, now, and its error is the pusher's to handle. */
  readonly inline?: boolean;
  /** Deletes a job inside a transaction of the application. */
  deleteIn(transaction: object, lease: Lease): Promise<boolean>;
  /** Told how each attempt ended. */
  readonly statistics?: StatisticsKeeper | undefined;
  /** Told of each job that ended for good. */
  readonly history?: HistoryKeeper | undefined;
  readonly tracer?: Tracer | undefined;
  /** The object jobs of PHP that this worker has seen. */
  readonly sightings: Sightings;
  /** The deliveries that this worker has started. Absent where jobs are delivered once. */
  readonly starts?: StartRecords;
  /** Told of each job before it is run; the attempt waits for the answer. */
  onStart?(held: HeldJob, job: Job, timeoutMs: number): Promise<void> | undefined;
  /** Told when a handler has ended and its job is only left to delete: its slot is free for the next. */
  onDone?(held: HeldJob): void;
  /** Told when a job was settled, though its handler may go on. */
  onSettled?(held: HeldJob): void;
}

/** Told how an attempt ended. */
export type OnAttemptEnd = (held: HeldJob, end: AttemptEnd) => void;

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: 'done' | 'kept' | 'released' | 'failed' | 'given-back' | 'lost' | 'unsettled';
  /** What the job failed or was released with. */
  readonly error?: unknown;
  /** Whether its handler was started, or might have been. */
  readonly wasStarted?: boolean;
  /** Present while the handler goes on although it was aborted. */
  readonly stillRunning?: Promise<void>;
}
