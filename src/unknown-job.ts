import { QueueError } from './errors.js';
import type { Payload } from './payload.js';
import { type Action, afterFailure, type Circumstances, type RetryRules } from './retry-policy.js';

const shortestWaitMs = 1000;
const longestWaitMs = 30_000;
/** Where tries set no limit: a job that nobody knows must not go round for ever. */
const mostDeliveries = 10;

/**
 * What to do with a job whose name is not registered here. Pure.
 *
 * A deploy may be under way: other workers know the job, or this one will once it is replaced. So it is put off
 * without a spent attempt for a while after it was due first, ever longer. Then, and where the payload does not
 * say when that was (PHP's do not), each delivery is a failed attempt.
 *
 * @param patienceMs how long that while is; 0 where it is not put off at all.
 */
export function afterUnknown(
  payload: Payload,
  attempts: number,
  rules: RetryRules,
  patienceMs: number,
  now: Circumstances,
): Action {
  const error = new QueueError('E_JOB_UNKNOWN', `no job is registered as ${payload.job}`, {
    fix: 'Check the `jobs` of the config; a worker started before a deploy knows the old jobs only.',
  });
  const sinceDueMs = now.nowMs - (payload.dueAt ?? Number.NEGATIVE_INFINITY);
  const ageMs = Math.max(0, sinceDueMs); // the pusher's clock may be ahead, but not by much: then its time is none
  if (ageMs < patienceMs && sinceDueMs > -patienceMs) {
    const growing = Math.min(Math.max(shortestWaitMs, ageMs), longestWaitMs) * (0.8 + 0.4 * now.random);
    return { action: 'postpone', delayMs: Math.round(Math.min(growing, patienceMs - ageMs)), error };
  }
  return afterFailure(
    error,
    'unknown-job',
    attempts,
    { ...rules, tries: rules.tries || mostDeliveries },
    now,
  );
}
