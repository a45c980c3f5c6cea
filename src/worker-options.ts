import { type Backoff, type BackoffRule, backoffRule } from './backoff.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { checkTries } from './job-definition.js';
import { checkQueueName } from './names.js';
import { checkOptionNames } from './option-names.js';
import { shown } from './shown.js';
import type { StopLimits } from './stop-conditions.js';

/** How a worker works. Every setting has a default; `worker` of the config changes the defaults. */
export interface WorkerOptions {
  /** What the worker is called in logs and in the list of workers. Default: `<host>:<pid>`. */
  readonly name?: string;
  /** Queues to serve, the first before the second. Default: the connection's own queue. */
  readonly queues?: readonly string[];
  /** Handlers that run side by side on this process's event loop. Default 1. */
  readonly concurrency?: number;
  /**
   * Jobs to reserve ahead of free slots at most. How many it really is follows from how quick they are: about as
   * many as are done in 40 ms; and what has waited for 60 ms is given back. 0 reserves a job only when a slot is
   * free for it, as does a worker of several queues, to keep their order of priority. Default 100; 400 on
   * Redis, 600 on PostgreSQL, 32 on SQLite.
   */
  readonly prefetch?: number;
  /** Deliveries allowed, the first included; 0 sets no limit. Default 3. */
  readonly tries?: number;
  /** Wait after a failed attempt. Default `exponential('1s', { max: '1h', jitter: true })`. */
  readonly backoff?: Backoff;
  /** Longest run of one attempt; 0 sets no limit. Default `'60s'`. */
  readonly timeout?: Duration;
  /**
   * How long, from when they are due first, jobs of a name that this worker does not know are put off for another
   * worker to run, without a spent attempt; after that, and on a store that cannot postpone, each delivery is a failed attempt.
   * Default `'10m'`.
   */
  readonly unknownJobPatience?: Duration;
  /** How long a handler may take to end after its signal aborted. Default `'5s'`. */
  readonly grace?: Duration;
  /** Longest time between two looks at an idle store that cannot wake the worker. Default `'3s'`. */
  readonly sleep?: Duration;
  /**
   * How long each slot rests after a job before it takes the next. Anything but 0 also reserves no jobs ahead.
   * Default 0.
   */
  readonly rest?: Duration;
  /** Work also while the config's `maintenance` says that the application is in maintenance. Default false. */
  readonly force?: boolean;
  /**
   * How often the worker says that it lives, for the list of workers; it is forgotten after three such times and a
   * second in silence. 0 keeps it off the list. Default `'3s'`; `'15s'` on SQLite, where each write wakes idle workers.
   */
  readonly heartbeat?: Duration;
  /**
   * How long running jobs may take to end once the worker is asked to stop; then they have `grace` left.
   * Default `'25s'`. What kills the process must wait for longer than this and the grace together.
   */
  readonly shutdownTimeout?: Duration;
  /** Stop after one job, or at once when there is none. Default false. */
  readonly once?: boolean;
  /**
   * Stop when nothing is due and nothing falls due within `sleep`. Jobs delayed further into the future
   * stay where they are. Default false.
   */
  readonly stopWhenEmpty?: boolean;
  /** Stop after this many jobs; 0 sets no limit. Default 0. */
  readonly maxJobs?: number;
  /** Stop after this long; 0 sets no limit. Default 0. */
  readonly maxTime?: Duration;
  /** Stop when the process's resident set is above this many MiB; 0 sets no limit. Default 0. */
  readonly memory?: number;
  /** Stop when the store has been away for this long; 0 waits for it without end. Default 0. */
  readonly maxOutage?: Duration;
}

/** {@link WorkerOptions} after checking, in the units of the code. */
export interface CheckedWorkerOptions extends StopLimits {
  readonly name: string | undefined;
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Undefined: as suits the store. */
  readonly prefetch: number | undefined;
  readonly tries: number;
  readonly backoff: BackoffRule;
  readonly timeoutMs: number;
  readonly unknownJobPatienceMs: number;
  readonly graceMs: number;
  readonly sleepMs: number;
  readonly restMs: number;
  readonly force: boolean;
  /** Undefined: as suits the store. */
  readonly heartbeatMs: number | undefined;
  readonly shutdownTimeoutMs: number;
  readonly stopWhenEmpty: boolean;
  readonly maxOutageMs: number;
}

/** Names of the options, for "did you mean". */
export const workerOptionNames = [
  'name',
  'queues',
  'concurrency',
  'prefetch',
  'tries',
  'backoff',
  'timeout',
  'unknownJobPatience',
  'grace',
  'sleep',
  'rest',
  'force',
  'heartbeat',
  'shutdownTimeout',
  'once',
  'stopWhenEmpty',
  'maxJobs',
  'maxTime',
  'memory',
  'maxOutage',
] as const satisfies readonly (keyof WorkerOptions)[];

/**
 * Checks worker options against each other and against the connection.
 *
 * A lease must outlast a run: else a second worker could start a job whose first worker is still in time.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION`, `E_QUEUE_NAME`, `E_LEASE_TOO_SHORT`.
 */
export function checkWorkerOptions(
  options: WorkerOptions,
  connection: { readonly name: string; readonly queue: string; readonly leaseMs: number },
): CheckedWorkerOptions {
  if (typeof options !== 'object' || options === null) {
    throw new QueueError('E_CONFIG', `worker: ${shown(options)} is not an object of options`);
  }
  checkOptionNames(options, workerOptionNames, 'worker');
  const checked = {
    name: options.name === undefined ? undefined : workerName(options.name),
    queues: queueNames(options.queues ?? [], connection.queue),
    concurrency: whole(options.concurrency ?? 1, 'concurrency', 1),
    prefetch: options.prefetch === undefined ? undefined : whole(options.prefetch, 'prefetch', 0),
    tries: checkTries(options.tries ?? 3, 'tries'),
    backoff: backoffRule(options.backoff ?? 'exponential', 'backoff'),
    timeoutMs: durationToMs(options.timeout ?? '60s', 'timeout'),
    unknownJobPatienceMs: durationToMs(options.unknownJobPatience ?? '10m', 'unknownJobPatience'),
    graceMs: durationToMs(options.grace ?? '5s', 'grace'),
    sleepMs: durationToMs(options.sleep ?? '3s', 'sleep'),
    restMs: durationToMs(options.rest ?? 0, 'rest'),
    force: yesOrNo(options.force ?? false, 'force'),
    heartbeatMs: options.heartbeat === undefined ? undefined : heartbeat(options.heartbeat),
    shutdownTimeoutMs: durationToMs(options.shutdownTimeout ?? '25s', 'shutdownTimeout'),
    once: yesOrNo(options.once ?? false, 'once'),
    stopWhenEmpty: yesOrNo(options.stopWhenEmpty ?? false, 'stopWhenEmpty'),
    maxJobs: whole(options.maxJobs ?? 0, 'maxJobs', 0),
    maxTimeMs: durationToMs(options.maxTime ?? 0, 'maxTime'),
    memoryMiB: whole(options.memory ?? 0, 'memory', 0),
    maxOutageMs: durationToMs(options.maxOutage ?? 0, 'maxOutage'),
  };
  assertLeaseOutlasts(checked, connection);
  return checked;
}

function assertLeaseOutlasts(
  options: { timeoutMs: number; graceMs: number },
  connection: { readonly name: string; readonly leaseMs: number },
): void {
  const { timeoutMs, graceMs } = options;
  if (timeoutMs === 0 || timeoutMs + graceMs < connection.leaseMs) return;
  throw new QueueError(
    'E_LEASE_TOO_SHORT',
    `connection ${connection.name}: a lease of ${seconds(connection.leaseMs)} does not outlast a timeout of ` +
      `${seconds(timeoutMs)} and a grace of ${seconds(graceMs)}: jobs could run twice at the same time`,
    { fix: `Set the connection's lease above ${seconds(timeoutMs + graceMs)}, or a shorter timeout.` },
  );
}

function queueNames(queues: unknown, otherwise: string): string[] {
  if (!Array.isArray(queues)) {
    throw new QueueError('E_CONFIG', `queues: ${shown(queues)} is not a list of names`, {
      fix: "Write queues: ['high', 'default'].",
    });
  }
  return queues.length === 0 ? [otherwise] : [...new Set(queues.map(checkQueueName))];
}

function workerName(name: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is printed in lists and log lines.
  if (typeof name === 'string' && /^[^\x00-\x1f\x7f]{1,100}$/.test(name)) return name;
  throw new QueueError('E_CONFIG', `name: ${shown(name)} is not a line of 1 to 100 characters`);
}

/** Not below 0.1 s: each is a write to the store. */
function heartbeat(every: Duration): number {
  const ms = durationToMs(every, 'heartbeat');
  if (ms === 0 || (ms >= 100 && ms <= 3_600_000)) return ms;
  throw new QueueError('E_CONFIG', `heartbeat: ${shown(every)} is neither 0 nor from 100ms to 1h`);
}

function yesOrNo(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new QueueError('E_CONFIG', `${what}: ${shown(value)} is neither true nor false`);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function whole(value: unknown, what: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw new QueueError('E_CONFIG', `${what}: ${shown(value)} is not a whole number from ${least} up`);
}
