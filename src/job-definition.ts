import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Amendment, AttemptFailedContext } from './attempt-failed.js';
import { type Backoff, type BackoffRule, backoffRule } from './backoff.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import type { FailedReason } from './failed-jobs.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import { checkJobName, checkQueueName } from './names.js';
import { checkOptionNames } from './option-names.js';
import { shown } from './shown.js';

/** How a job ends when its handler returns without having settled it: `auto` deletes it, `manual` leaves it
 * reserved, so that it runs again when its lease lapses (think-queue's rule). */
export type Ack = 'auto' | 'manual';

/** Settings that a job's definition may carry; the worker's apply where they are absent. */
export interface JobSettings {
  /** The queue that the job is pushed to unless the push names one. */
  readonly queue?: string;
  /** Deliveries allowed, the first included; 0 sets no limit. */
  readonly tries?: number;
  /**
   * How many attempts may end with an error that the handler threw, whatever `tries` are left: releases, crashes,
   * timeouts and lost leases do not count. 0 sets no limit. Default 0.
   */
  readonly maxExceptions?: number;
  /** Wait after a failed attempt. */
  readonly backoff?: Backoff;
  /**
   * How long the job may be tried, from when it is due first. Without `tries` of its own such a job may be tried
   * as often as time allows. Written into the payload by the push.
   */
  readonly retryUntil?: Duration;
  /** Longest run of one attempt; 0 sets no limit. */
  readonly timeout?: Duration;
  /** Default `'auto'`. */
  readonly ack?: Ack;
}

/** What a handler is called with. */
export interface JobContext<Data> {
  readonly data: Data;
  readonly job: Job;
  /** Aborts on timeout, on loss of the lease, and when a stopping worker's patience ends. */
  readonly signal: AbortSignal;
  /** The worker's logger with the job's id, name, queue and attempts on each line. */
  readonly log: Logger;
}

/** What a `failed` hook is called with, after the failure is on record. */
export interface FailedContext<Data> {
  readonly data: Data;
  readonly error: unknown;
  readonly job: Job;
}

/** What `onFailed` of the config is called with. */
export interface JobFailure extends FailedContext<unknown> {
  readonly reason: FailedReason;
}

interface JobOptions<Data> extends JobSettings {
  /** The wire name: what is stored, and what workers look up. Never derived from code. */
  readonly name: string;
  handle(context: JobContext<Data>): unknown;
  /**
   * Called after each attempt that failed, before it is decided what becomes of the job, unless it has no use in being
   * tried again. What it answers goes before the rules; see {@link Amendment}. Where it throws or takes longer than the
   * timeout, that is logged and changes nothing. As it may allow more tries, such a job is never refused a run for their
   * number: only a failed attempt ends it.
   */
  attemptFailed?(context: AttemptFailedContext<Data>): Amendment | undefined | Promise<Amendment | undefined>;
  failed?(context: FailedContext<Data>): unknown;
}

interface ValidatedJobOptions<Schema extends StandardSchemaV1>
  extends JobOptions<StandardSchemaV1.InferOutput<Schema>> {
  /** Checks data at push and again before the run. Any Standard Schema validator (zod, valibot, arktype …). */
  readonly input: Schema;
}

const brand = Symbol.for('drover.job');

/** A job that can be pushed with typed data, and run. Made by {@link defineJob}. */
export interface JobDefinition<Input = unknown, Data = Input> {
  readonly [brand]: true;
  readonly name: string;
  readonly settings: CheckedSettings;
  readonly input: StandardSchemaV1 | undefined;
  /** Never there: carries the type of the data to push. */
  readonly inputType?: Input;
  // Methods rather than function properties, so that definitions of any data fit a list of definitions.
  handle(context: JobContext<Data>): unknown;
  attemptFailed?(context: AttemptFailedContext<Data>): Amendment | undefined | Promise<Amendment | undefined>;
  failed?(context: FailedContext<Data>): unknown;
}

/** {@link JobSettings} after checking, in the units of the code. */
export interface CheckedSettings {
  readonly queue?: string;
  readonly tries?: number;
  readonly maxExceptions?: number;
  readonly backoff?: BackoffRule;
  readonly retryUntilMs?: number;
  readonly timeoutMs?: number;
  readonly ack: Ack;
}

/**
 * Defines a job: its stable wire name, its settings and its handler.
 *
 * With `input`, data is checked at push and before the run, and typed by the schema; without it, the
 * type of the handler's `data` is the type to push.
 *
 * @throws QueueError `E_JOB_NAME`, `E_QUEUE_NAME`, `E_DURATION` or `E_CONFIG` for a bad setting.
 */
export function defineJob<Schema extends StandardSchemaV1>(
  options: ValidatedJobOptions<Schema>,
): JobDefinition<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>;
export function defineJob<Data = unknown>(
  options: JobOptions<Data> & { readonly input?: undefined },
): JobDefinition<Data>;
export function defineJob(
  options: JobOptions<unknown> & { readonly input?: StandardSchemaV1 },
): JobDefinition {
  assertOptions(options);
  const name = checkJobName(options.name);
  if (typeof options.handle !== 'function') {
    throw new QueueError('E_CONFIG', `job ${name} has no handle function`);
  }
  return {
    [brand]: true,
    name,
    settings: checkSettings(options, `job ${name}`),
    input: options.input,
    handle: (context) => options.handle(context),
    ...(options.attemptFailed && {
      attemptFailed: (context: AttemptFailedContext<unknown>) => options.attemptFailed?.(context),
    }),
    ...(options.failed && { failed: (context: FailedContext<unknown>) => options.failed?.(context) }),
  };
}

const optionNames = [
  'name',
  'queue',
  'tries',
  'maxExceptions',
  'backoff',
  'retryUntil',
  'timeout',
  'ack',
  'input',
  'handle',
  'attemptFailed',
  'failed',
];

/** An option that does nothing is a mistake: a job with `attempts: 1` is meant to be tried once. */
function assertOptions(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) {
    throw new QueueError('E_CONFIG', `defineJob: ${shown(options)} is not an object of options`, {
      fix: "Write defineJob({ name: 'mail.send', handle: ({ data }) => … }).",
    });
  }
  checkOptionNames(options, optionNames, 'defineJob');
}

/** True for what {@link defineJob} returned, also from another copy of drover. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * Checks a job's settings and puts them into the units of the code.
 *
 * @param owner names the job in errors.
 */
export function checkSettings(settings: JobSettings, owner: string): CheckedSettings {
  const { queue, tries, maxExceptions, backoff, retryUntil, timeout, ack = 'auto' } = settings;
  if (ack !== 'auto' && ack !== 'manual') {
    throw new QueueError('E_CONFIG', `${owner}: ack is ${shown(ack)}`, {
      fix: "Use 'auto' or 'manual'.",
    });
  }
  return {
    ack,
    ...(queue !== undefined && { queue: checkQueueName(queue) }),
    ...(tries !== undefined && { tries: checkTries(tries, `${owner}: tries`) }),
    ...(maxExceptions !== undefined && {
      maxExceptions: checkTries(maxExceptions, `${owner}: maxExceptions`),
    }),
    ...(backoff !== undefined && { backoff: backoffRule(backoff, `${owner}: backoff`) }),
    ...(retryUntil !== undefined && { retryUntilMs: durationToMs(retryUntil, `${owner}: retryUntil`) }),
    ...(timeout !== undefined && { timeoutMs: durationToMs(timeout, `${owner}: timeout`) }),
  };
}

/**
 * Answers the number when it can be a number of tries: a whole one from 0 (no limit) up.
 *
 * @throws QueueError `E_CONFIG`.
 */
export function checkTries(tries: unknown, what: string): number {
  if (typeof tries !== 'number' || !Number.isInteger(tries) || tries < 0) {
    throw new QueueError('E_CONFIG', `${what}: ${shown(tries)} is not a whole number from 0 up`, {
      fix: 'Use 1 for a single attempt, 0 for no limit.',
    });
  }
  return tries;
}
