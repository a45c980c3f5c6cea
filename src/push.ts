import { type Backoff, backoffRule } from './backoff.js';
import type { NewJob } from './connector.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { checkTries } from './job-definition.js';
import { newJobId } from './job-id.js';
import { checkJobId, checkQueueName } from './names.js';
import { checkOptionNames } from './option-names.js';
import { type PayloadEncoder, payloadEncoder } from './payload.js';
import { shown } from './shown.js';
import type { TraceContext } from './tracing.js';
import type { WireFormat } from './wire-format.js';

/** What one push may ask for; the job's definition and the worker decide the rest. */
export interface PushOptions {
  /** Default: the job's own queue, then the connection's. */
  readonly queue?: string;
  /** Default: the queue object's connection. */
  readonly connection?: string;
  /** Wait before the job is due: `'5m'`, or a number of seconds. Not together with `at`. */
  readonly delay?: Duration;
  /** When the job is due. A time in the past means now. */
  readonly at?: Date;
  /** Deliveries allowed, the first included; 0 sets no limit. */
  readonly tries?: number;
  /** How many attempts may end with an error that the handler threw, whatever `tries` are left; 0 sets no limit. */
  readonly maxExceptions?: number;
  /** Longest run of one attempt: `'90s'`, or a number of seconds; 0 sets no limit. */
  readonly timeout?: Duration;
  /** Wait after a failed attempt. */
  readonly backoff?: Backoff;
  /**
   * When trying ends: a point in time, or a span from when the job is due first. Without `tries` of its own such
   * a job may be tried as often as time allows.
   */
  readonly retryUntil?: Date | Duration;
  /**
   * An id of your own, 1 to 64 of letters, digits and `_ . : -`. While a job of that id is stored in the queue
   * (waiting or running) a second push changes nothing. Default: a UUID of version 7, which sorts by time.
   */
  readonly id?: string;
}

const optionNames = [
  'queue',
  'connection',
  'delay',
  'at',
  'tries',
  'maxExceptions',
  'timeout',
  'backoff',
  'retryUntil',
  'id',
];

/** Where a new job goes, and what is stored of it. */
export interface PreparedJob {
  readonly queue: string;
  /** The wire name. */
  readonly name: string;
  readonly job: NewJob;
}

/** All that a push says but for its data and its time: jobs that differ in nothing else are drafted once. */
export interface JobDraft {
  readonly queue: string;
  /** The wire name. */
  readonly name: string;
  /** The id that the caller chose. */
  readonly id: string | undefined;
  readonly wait: Pick<NewJob, 'delayMs' | 'availableAtMs'>;
  /** When it is due first, in ms since the epoch. Absent where that is when it is pushed, and nothing else hangs on the time. */
  readonly dueAtMs: number | undefined;
  readonly encode: PayloadEncoder;
}

/**
 * Checks what a push asks for; no store is touched.
 *
 * @param wireName the job's checked wire name.
 * @throws QueueError for each option that cannot be.
 */
export function draftJob(
  wireName: string,
  options: PushOptions,
  defaults: {
    readonly queue: string;
    readonly maxPayloadBytes: number;
    readonly retryUntilMs?: number | undefined;
    readonly nowMs: number;
    readonly trace?: TraceContext | undefined;
    /** Of the connection. Default: think-queue 3's. */
    readonly wire?: WireFormat | undefined;
  },
): JobDraft {
  const wait = due(options);
  const dueAt = Math.max(defaults.nowMs, wait.availableAtMs ?? defaults.nowMs + (wait.delayMs ?? 0));
  const endMs = endOfTrying(options.retryUntil, dueAt, defaults.retryUntilMs);
  const id = options.id === undefined ? undefined : ownId(options.id, defaults.wire);
  if (options.backoff !== undefined) backoffRule(options.backoff, 'backoff');
  const fields = {
    job: wireName,
    maxTries: options.tries === undefined ? null : checkTries(options.tries, 'tries'),
    timeout: options.timeout === undefined ? null : durationToMs(options.timeout, 'timeout') / 1000,
    ...(endMs !== undefined && { timeoutAt: Math.ceil(endMs / 1000) }),
    ...(options.backoff !== undefined && { backoff: options.backoff }),
    ...(options.maxExceptions !== undefined && {
      maxExceptions: checkTries(options.maxExceptions, 'maxExceptions'),
    }),
    ...(defaults.trace && { trace: defaults.trace }),
  };
  return {
    name: wireName,
    queue: options.queue === undefined ? defaults.queue : checkQueueName(options.queue),
    id,
    wait,
    dueAtMs: wait === now && endMs === undefined ? undefined : dueAt,
    encode: payloadEncoder(fields, defaults.maxPayloadBytes, defaults.wire),
  };
}

/**
 * A job of a draft, encoded.
 *
 * @param nowMs when it is pushed.
 * @throws QueueError, see `payloadEncoder`.
 */
export function jobOf(
  { name, queue, id: ownId, wait, dueAtMs, encode }: JobDraft,
  data: unknown,
  nowMs: number,
): PreparedJob {
  const id = ownId ?? newJobId();
  const body = encode(data === undefined ? null : data, id, dueAtMs ?? nowMs);
  if (ownId !== undefined) return { name, queue, job: { id, body, ...wait, unique: true } };
  return { name, queue, job: wait === now ? { id, body } : { id, body, ...wait } };
}

function ownId(id: string, wire: WireFormat | undefined): string {
  if (wire?.keepsIds !== false) return checkJobId(id);
  throw new QueueError('E_UNSUPPORTED', `push: a connection of the wire ${wire.name} keeps no ids apart`, {
    fix: 'Leave id out; make the job itself harmless to repeat.',
  });
}

/** Of a job that is due at once. */
const now: Pick<NewJob, 'delayMs' | 'availableAtMs'> = {};

function due(options: PushOptions): Pick<NewJob, 'delayMs' | 'availableAtMs'> {
  const { delay, at } = options;
  if (delay !== undefined && at !== undefined) {
    throw new QueueError('E_CONFIG', 'delay and at exclude each other', {
      fix: 'Keep delay for a span from now, at for a point in time.',
    });
  }
  if (delay !== undefined) return { delayMs: durationToMs(delay, 'delay') };
  if (at === undefined) return now;
  if (!(at instanceof Date)) throw noDate('at', 'Use new Date(…), or delay for a span.');
  return { availableAtMs: timeOf(at, 'at') };
}

function endOfTrying(
  until: Date | Duration | undefined,
  dueAtMs: number,
  ownSpanMs: number | undefined,
): number | undefined {
  if (until instanceof Date) return timeOf(until, 'retryUntil');
  const spanMs = until === undefined ? ownSpanMs : durationToMs(until, 'retryUntil');
  return spanMs === undefined ? undefined : dueAtMs + spanMs;
}

function timeOf(date: Date, what: string): number {
  if (Number.isNaN(date.getTime())) throw noDate(what, 'Use new Date(…) of a time that there is.');
  return date.getTime();
}

function noDate(what: string, fix: string): QueueError {
  return new QueueError('E_DURATION', `${what} is not a valid Date`, { fix });
}

const otherNames: Readonly<Record<string, string>> = {
  attempts: 'tries',
  retries: 'tries',
  timeoutAt: 'retryUntil',
  jobId: 'id',
  startAfter: 'delay or at',
};

/**
 * Of the options of a push, that they are some, by names that there are.
 *
 * @throws QueueError `E_CONFIG`.
 */
export function assertPushOptions(options: PushOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new QueueError('E_CONFIG', `push: ${shown(options)} is not an object of options`, {
      fix:
        typeof options === 'string'
          ? `Name a queue as { queue: ${shown(options)} }.`
          : 'Leave them out, or write { delay: "5m" }.',
    });
  }
  checkOptionNames(options, optionNames, 'push', otherNames);
}
