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
    const delayMs = Math.round(Math.min(growingWaitMs(ageMs, now), patienceMs - ageMs));
    return { action: 'postpone', delayMs, error };
  }
  return afterFailure(
    error,
    'unknown-job',
    attempts,
    { ...rules, tries: rules.tries || mostDeliveries },
    now,
  );
}

/**
 * What to do with an object job of PHP, which only PHP's workers can run. Pure.
 *
 * It is put off for them, ever longer, with its attempt unspent where the store can do so: theirs are few. Then it is
 * given up, so that it does not go round for ever; unless no record is kept of it, as nothing would be left.
 *
 * @param name the class of the object.
 * @param seenForMs how long ago this worker first saw it.
 */
export function afterObjectJob(
  name: string,
  seenForMs: number,
  can: { readonly patienceMs: number; readonly postpone: boolean; readonly record: boolean },
  now: Circumstances,
): Action {
  const error = new QueueError(
    'E_JOB_UNKNOWN',
    `${name} is an object of PHP: only a worker of PHP can run it`,
    {
      fix: 'Let a PHP worker serve this queue too, or have PHP push its objects to another; then retry the job.',
    },
  );
  if (can.record && seenForMs >= can.patienceMs) return { action: 'fail', reason: 'unknown-job', error };
  const delayMs = Math.round(growingWaitMs(seenForMs, now));
  return { action: can.postpone ? 'postpone' : 'release', delayMs, error };
}

function growingWaitMs(ageMs: number, { random }: Circumstances): number {
  return Math.min(Math.max(shortestWaitMs, ageMs), longestWaitMs) * (0.8 + 0.4 * random);
}
