import { type BackoffRule, backoffMs } from './backoff.js';
import { isQueueError, type QueueError } from './errors.js';
import type { FailedReason } from './failed-jobs.js';
import type { Ack } from './job-definition.js';
import type { JobState } from './job-verbs.js';
import { isUnrecoverable, retryAfterMs } from './retry-errors.js';
import type { NotedFailure } from './wire-format.js';

/** How a handler's run ended. */
export interface RunEnd {
  readonly returned: boolean;
  /** What it threw, where it did. */
  readonly error?: unknown;
  /** Why it was aborted, where it was. */
  readonly abortedBy?: QueueError | undefined;
}

/** How often and at what intervals a job may run. */
export interface RetryRules {
  /** 0: no limit. */
  readonly tries: number;
  /** How many attempts may end with an error thrown by the handler. 0 or undefined: no limit. */
  readonly maxExceptions?: number | undefined;
  readonly backoff: BackoffRule;
  /** When trying ends, in whole seconds as think-queue has it, but in ms since the epoch. Undefined: never. */
  readonly endMs?: number | undefined;
}

/** What a decision depends on beside the job: drawn and read by the caller, so that deciding stays pure. */
export interface Circumstances {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** What is to happen to a job after an attempt. */
export type Verdict = { readonly action: 'none' } | Action;

/** A verdict that changes something. */
export type Action =
  | { readonly action: 'delete' }
  | { readonly action: 'give-back' }
  | {
      readonly action: 'release' | 'release-thrown' | 'postpone';
      readonly delayMs: number;
      readonly error: unknown;
      readonly noted?: Noted;
    }
  | {
      readonly action: 'fail';
      readonly reason: FailedReason;
      readonly error: unknown;
      readonly noted?: Noted;
    };

/** What a body is to note of the failure, where the job had a say in it. */
type Noted = Omit<NotedFailure, 'message'>;

/**
 * The one place that decides what happens after a run. Pure.
 *
 * - What the handler settled stands, also when it threw afterwards, unless that was in a transaction of its own.
 * - A run over its timeout failed, even if the handler returned after the abort: it may have cut its work
 *   short. An ordinary return on any other abort is a success.
 * - A handler that a stopping worker interrupted gives the job back with its attempt unspent.
 */
export function decide(
  end: RunEnd,
  job: {
    readonly state: JobState;
    readonly ack: Ack;
    readonly attempts: number;
    /** How many earlier attempts are known to have ended with a thrown error. Default 0. */
    readonly exceptions?: number;
  },
  rules: RetryRules,
  now: Circumstances,
): Verdict {
  const isOpen = job.state === 'open' || job.state === 'closed';
  // Where the handler threw, its transaction has not committed as far as we know; if it has, the lease is lost.
  const mayBeOpen = job.state === 'deleted-in' && !end.returned;
  if (!isOpen && !mayBeOpen) return { action: 'none' };
  if (isQueueError(end.abortedBy, 'E_TIMEOUT')) {
    return afterFailure(end.abortedBy, 'timed-out', job.attempts, rules, now);
  }
  if (end.returned) return { action: job.ack === 'manual' ? 'none' : 'delete' };
  if (isQueueError(end.abortedBy, 'E_LEASE_LOST')) return { action: 'none' };
  if (isQueueError(end.abortedBy, 'E_STOPPED')) return { action: 'give-back' };
  return afterThrown(end.error, job, rules, now);
}

/** As {@link afterFailure}, counted where the job may throw only so often. Pure. */
function afterThrown(
  error: unknown,
  { attempts, exceptions = 0 }: { readonly attempts: number; readonly exceptions?: number },
  rules: RetryRules,
  now: Circumstances,
): Action {
  const action = afterFailure(error, 'max-tries', attempts, rules, now);
  if (action.action !== 'release' || !rules.maxExceptions) return action;
  if (exceptions + 1 >= rules.maxExceptions) return { action: 'fail', reason: 'max-exceptions', error };
  return { ...action, action: 'release-thrown' };
}

/**
 * Release while tries and time are left, else fail for `reason`. Pure.
 *
 * The error may say itself that there is no use in trying again, or how long to wait. A job that would be due
 * again only after its end time fails now, with the error that it failed with.
 */
export function afterFailure(
  error: unknown,
  reason: FailedReason,
  attempts: number,
  rules: RetryRules,
  { nowMs, random }: Circumstances,
): Action {
  if (isUnrecoverable(error)) return { action: 'fail', reason: 'by-handler', error };
  if (rules.tries > 0 && attempts >= rules.tries) return { action: 'fail', reason, error };
  const delayMs = retryAfterMs(error) ?? backoffMs(rules.backoff, attempts, random);
  const { endMs = Number.POSITIVE_INFINITY } = rules;
  if (nowMs >= endMs || mayNotStart(endMs, nowMs + delayMs)) {
    return { action: 'fail', reason: reason === 'max-tries' ? 'retry-until' : reason, error };
  }
  return { action: 'release', delayMs, error };
}

/** True where a run may begin no more at a time. think-queue counts in seconds: the last one is still in time. */
export function mayNotStart(endMs: number, atMs: number): boolean {
  return atMs >= endMs + 1000;
}
