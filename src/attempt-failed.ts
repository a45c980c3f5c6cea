import type { AttemptContext } from './attempt-context.js';
import { isQueueError } from './errors.js';
import { withinLimit } from './failed-hook.js';
import type { Job } from './job.js';
import type { Handler } from './registry.js';
import {
  type Action,
  afterFailure,
  type Circumstances,
  type RetryRules,
  type Verdict,
} from './retry-policy.js';

/** What a job's `attemptFailed` is called with. */
export interface AttemptFailedContext<Data> {
  readonly data: Data;
  readonly error: unknown;
  readonly job: Job;
  /** Deliveries allowed, the first included; 0 sets no limit. */
  readonly tries: number;
  /** What stands in the store for the job, in the form of its connection. */
  readonly body: string;
}

/** What a job asks for after an attempt that failed. What is absent stays as it is. */
export interface Amendment {
  /** Deliveries that count so far, this one included. */
  readonly attempts?: number;
  /** Deliveries allowed, the first included; 0 sets no limit. */
  readonly tries?: number;
  /** Goes on record in place of what was thrown. */
  readonly error?: unknown;
  /** Data for the next attempts. Only on connections whose form of bodies notes failures, as webman's. */
  readonly data?: unknown;
}

/**
 * Asks the job what is to become of it, where an attempt has failed that may be repeated, and decides anew by what it
 * says. Where it says nothing, throws or takes too long, the verdict stands.
 */
export async function amended(
  verdict: Verdict,
  asked: {
    readonly handler: Handler | undefined;
    readonly job: Job;
    readonly data: unknown;
    readonly body: string;
    readonly rules: RetryRules;
    readonly now: Circumstances;
  },
  context: AttemptContext,
): Promise<Verdict> {
  const { handler, job, data, body, rules, now } = asked;
  if (!handler?.attemptFailed || !mayBeRepeated(verdict)) return verdict;
  const { error } = verdict;
  const wish = await withinLimit(
    'attemptFailed of the job',
    () => handler.attemptFailed?.(job, { data, error, tries: rules.tries, body }),
    job.fields,
    { limitMs: context.defaults.timeoutMs || 60_000, patience: context.settler.patience },
    context.logger,
  );
  return isAmendment(wish) ? decideAnew(verdict, wish, job.attempts(), rules, now) : verdict;
}

type Failed = Extract<Action, { readonly action: 'release' | 'release-thrown' | 'fail' | 'postpone' }>;

function mayBeRepeated(verdict: Verdict): verdict is Failed {
  if (verdict.action === 'release' || verdict.action === 'release-thrown') return true;
  return (
    verdict.action === 'fail' &&
    ['max-tries', 'max-exceptions', 'timed-out', 'retry-until'].includes(verdict.reason)
  );
}

/** Pure. */
function decideAnew(
  verdict: Failed,
  wish: Amendment,
  delivered: number,
  rules: RetryRules,
  now: Circumstances,
): Action {
  const { attempts = delivered, tries = rules.tries, error = verdict.error } = wish;
  const reason = isQueueError(verdict.error, 'E_TIMEOUT') ? 'timed-out' : 'max-tries';
  const action = afterFailure(error, reason, Math.max(1, attempts), { ...rules, tries }, now) as Failed;
  return { ...action, noted: { attempts, tries, ...('data' in wish && { data: { value: wish.data } }) } };
}

function isAmendment(wish: unknown): wish is Amendment {
  if (typeof wish !== 'object' || wish === null) return false;
  const { attempts = 0, tries = 0 } = wish as Amendment;
  return [attempts, tries].every((count) => Number.isSafeInteger(count) && count >= 0);
}
