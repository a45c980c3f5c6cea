import type { Clock } from './clock.js';
import type { Driver } from './connector.js';
import type { JobFailure } from './job-definition.js';
import type { Logger } from './logger.js';
import type { NameRule } from './php-names.js';
import type { JobSource } from './registry.js';
import type { Tracer } from './tracing.js';
import type { WorkerGroup } from './worker-group.js';
import type { WorkerOptions } from './worker-options.js';

/** What a queue is made of. */
export interface QueueConfig {
  /** The connection used where none is named. Default: `'default'`, or the only one there is. */
  readonly default?: string;
  /** Backing services by name. */
  readonly connections: Readonly<Record<string, Driver>>;
  /**
   * The jobs that workers of this process can run: a list, or an object whose keys name classes that have no
   * `jobName` of their own. Strings are globs of job files, relative to the project (the config file's folder, or
   * the one above for `config/queue.ts`); the CLI and `openQueue` of `drover/config` load them.
   */
  readonly jobs?: readonly (JobSource | string)[] | Readonly<Record<string, JobSource>> | string;
  /**
   * What names mean that other programs push and that no job is registered under: `phpNames()` for those of PHP's
   * classes, or a pure function. Default: nothing.
   */
  readonly names?: NameRule;
  /**
   * Folders with consumers in webman's style, relative to the project as `jobs`: classes that name a `queue` and have a
   * method `consume(data)`. The CLI and `openQueue` of `drover/config` load them, and their workers serve the queues of
   * those on their connection where nothing else is said.
   */
  readonly consumers?: string | readonly string[];
  /**
   * Where failed jobs are kept: `'same'` in the store of their own connection (the default), on one
   * connection for all, or, `'none'`, nowhere: a failed job is then deleted.
   */
  readonly failed?: 'same' | 'none' | { readonly connection: string };
  /**
   * Called, in the process that gave it up, with each job that failed: after the failure is on record and after the
   * job's own `failed` hook. Where it throws, or takes longer than the worker's timeout, that is logged and
   * changes nothing.
   */
  readonly onFailed?: (failure: JobFailure) => unknown;
  /**
   * Whether the application is in maintenance: workers ask at their start and about once a second, and take no jobs
   * while the answer is true; running ones go on. Where it throws or does not answer, the last answer holds, at first
   * false. The worker option `force` (`--force`) ignores it.
   */
  readonly maintenance?: () => boolean | Promise<boolean>;
  /**
   * The folder of a ThinkPHP application's file cache, such as `'runtime/cache'`: workers heed the restart signal
   * in it beside that of their store, and `restartWorkers` writes both. Relative to the working directory.
   */
  readonly thinkCache?: string;
  /**
   * Whether what happens to jobs is counted for `queue.stats` and `queue:stats`, in memory, and written to the store
   * of each connection every two seconds at most. Default true.
   */
  readonly statistics?: boolean;
  /** Who follows jobs from push to run: `opentelemetry()` of 'drover/opentelemetry'. Default: nobody. */
  readonly tracing?: Tracer;
  /** Where worker processes of the commands answer scrapes of Prometheus and probes. Default: nowhere. */
  readonly metrics?: MetricsAddress;
  /** Defaults for workers. */
  readonly worker?: WorkerOptions;
  /** Groups of worker processes by name, for `queue:supervise` to run. */
  readonly supervisors?: Readonly<Record<string, WorkerGroup>>;
  /** The largest payload that may be pushed, in bytes of its JSON. Default 1,048,576. */
  readonly maxPayloadBytes?: number;
  /** Where drover logs to; pino fits. Default: nowhere. */
  readonly logger?: Logger;
  /** Time for stores that have no clock of their own (memory, SQLite). Default: the machine's. */
  readonly clock?: Clock;
}

/** A place to listen at. */
export interface MetricsAddress {
  /** Of the first worker process; each further one has the next. 0: any that is free. */
  readonly port: number;
  /** Default `'127.0.0.1'`. */
  readonly host?: string;
}

/** Names of the keys, for checks of a config. */
export const queueConfigKeys = [
  'default',
  'connections',
  'jobs',
  'names',
  'consumers',
  'failed',
  'onFailed',
  'maintenance',
  'thinkCache',
  'statistics',
  'tracing',
  'metrics',
  'worker',
  'supervisors',
  'maxPayloadBytes',
  'logger',
  'clock',
] as const satisfies readonly (keyof QueueConfig)[];
