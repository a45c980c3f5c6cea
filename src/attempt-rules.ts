import { type BackoffRule, backoffRule } from './backoff.js';
import { QueueError } from './errors.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import { type Action, mayNotStart, type RetryRules } from './retry-policy.js';

/** The rules for jobs that bring none of their own. */
export interface AttemptDefaults {
  /** 0: no limit. */
  readonly tries: number;
  readonly backoff: BackoffRule;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** How long after they were due first jobs that nobody here knows are put off without a spent attempt. */
  readonly unknownJobPatienceMs: number;
}

/** What holds for one attempt. */
export interface AttemptRules extends RetryRules {
  readonly timeoutMs: number;
}

/**
 * The push's wish comes first, then the job's definition, then the worker. A job with an end time that does not
 * say how many tries it may have is not held to the worker's: the time is its limit.
 *
 * @param inline the pusher waits for the job, which runs once.
 */
export function rulesFor(
  payload: Payload,
  handler: Handler | undefined,
  defaults: AttemptDefaults,
  inline = false,
): AttemptRules {
  const settings = handler?.settings;
  const endMs = payload.timeoutAt === undefined || inline ? undefined : payload.timeoutAt * 1000;
  const own = payload.maxTries ?? settings?.tries;
  return {
    tries: inline ? 1 : (own ?? (endMs === undefined ? defaults.tries : 0)),
    maxExceptions: payload.maxExceptions ?? settings?.maxExceptions,
    backoff:
      payload.backoff === undefined
        ? (settings?.backoff ?? defaults.backoff)
        : backoffRule(payload.backoff, 'backoff'),
    endMs,
    timeoutMs:
      payload.timeout === null ? (settings?.timeoutMs ?? defaults.timeoutMs) : payload.timeout * 1000,
  };
}

/**
 * What to do with a job that must not run (again). Pure. Before its end time a job runs whatever its tries say, as
 * in think-queue; they count after a failed attempt.
 */
export function refusal(
  payload: Payload,
  attempts: number,
  rules: RetryRules,
  startedLast: boolean,
  nowMs: number,
): Action | undefined {
  const { endMs } = rules;
  if (endMs !== undefined) {
    return mayNotStart(endMs, nowMs)
      ? { action: 'fail', reason: 'retry-until', error: tooLate(payload, endMs) }
      : undefined;
  }
  if (!isOver(attempts, rules) || isLastChance(attempts, rules, startedLast)) return undefined;
  const error = new QueueError(
    'E_MAX_TRIES',
    `job ${payload.job} was delivered ${attempts - 1} times without being done, and may be no more often`,
    {
      fix: 'Its handler released it on its last try, or its workers were killed or blocked for longer than the lease.',
    },
  );
  // Where another process had it last, that has died, or has released it after the run that a lost lease is granted.
  return { action: 'fail', reason: startedLast ? 'max-tries' : 'lease-lost', error };
}

/**
 * Whether a job runs once more, and alone in its process, though its tries are used up. Pure. No job is given up for
 * too many attempts without having been started, and a process that died may not have come to start it.
 *
 * @param startedLast whether the last delivery is known to have been started.
 */
export function isLastChance(attempts: number, rules: RetryRules, startedLast: boolean): boolean {
  return isOver(attempts, rules) && !startedLast && attempts === rules.tries + 1;
}

function isOver(attempts: number, { tries, endMs }: RetryRules): boolean {
  return endMs === undefined && tries > 0 && attempts > tries;
}

function tooLate(payload: Payload, endMs: number): QueueError {
  const until = new Date(Math.min(endMs, 8.64e15)).toISOString();
  return new QueueError('E_RETRY_UNTIL', `job ${payload.job} was to be tried until ${until}, which is over`, {
    fix: 'It waited too long for a worker, or its handler released it to a later time: add workers, or allow more time.',
  });
}
