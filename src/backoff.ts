import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { shown } from './shown.js';

/** A wait that grows with each failed attempt: `base · factor^(attempt − 1)`, at most `max`, then spread. */
export interface ExponentialBackoff {
  readonly type: 'exponential';
  readonly base: Duration;
  /** Default 2. */
  readonly factor?: number;
  /** Default `'1h'`. */
  readonly max?: Duration;
  /**
   * How far waits are spread so that jobs that failed together do not come back together: 0.2 draws from
   * 80 % to 120 % of the wait. `true` means 0.2, `false` 0. Default `true`.
   */
  readonly jitter?: boolean | number;
}

/**
 * How long to wait after a failed attempt: one span for all, a list (the last one repeats), or a growing
 * wait. `'exponential'` alone is {@link exponential} with its defaults.
 */
export type Backoff = Duration | readonly Duration[] | ExponentialBackoff | 'exponential';

/** A checked {@link Backoff} in the units of the code. */
export type BackoffRule =
  | { readonly kind: 'list'; readonly delaysMs: readonly number[] }
  | {
      readonly kind: 'exponential';
      readonly baseMs: number;
      readonly factor: number;
      readonly maxMs: number;
      /** 0 to 1. */
      readonly jitter: number;
    };

/** A growing wait: 1 s, 2 s, 4 s … up to an hour, spread by ±20 %. */
export function exponential(
  base: Duration = '1s',
  options: Omit<ExponentialBackoff, 'type' | 'base'> = {},
): ExponentialBackoff {
  return { type: 'exponential', base, ...options };
}

/**
 * Checks a backoff and puts it into milliseconds.
 *
 * @param what names the setting in errors.
 * @throws QueueError `E_CONFIG` or `E_DURATION`.
 */
export function backoffRule(backoff: Backoff, what: string): BackoffRule {
  if (backoff === 'exponential') return backoffRule(exponential(), what);
  if (typeof backoff === 'string' || typeof backoff === 'number') {
    return { kind: 'list', delaysMs: [durationToMs(backoff, what)] };
  }
  if (Array.isArray(backoff)) {
    if (backoff.length === 0) throw invalid(what, 'an empty list');
    return {
      kind: 'list',
      delaysMs: backoff.map((delay, index) => durationToMs(delay, `${what}[${index}]`)),
    };
  }
  const rule = backoff as ExponentialBackoff | null;
  if (rule?.type !== 'exponential') throw invalid(what, shown(backoff));
  const factor = rule.factor ?? 2;
  const jitter = rule.jitter === undefined || rule.jitter === true ? 0.2 : Number(rule.jitter);
  if (!(factor >= 1)) throw invalid(`${what}.factor`, String(rule.factor));
  if (!(jitter >= 0 && jitter <= 1)) throw invalid(`${what}.jitter`, String(rule.jitter));
  return {
    kind: 'exponential',
    baseMs: durationToMs(rule.base, `${what}.base`),
    factor,
    maxMs: durationToMs(rule.max ?? '1h', `${what}.max`),
    jitter,
  };
}

/**
 * Wait in ms after the failed attempt number `attempt` (1 is the first).
 *
 * @param random a number in [0, 1), drawn by the caller so that this stays pure.
 */
export function backoffMs(rule: BackoffRule, attempt: number, random: number): number {
  if (rule.kind === 'list') return rule.delaysMs[Math.min(attempt, rule.delaysMs.length) - 1] ?? 0;
  // A base of 0 stays 0, also where the power is beyond what a number can hold.
  const wait = rule.baseMs === 0 ? 0 : Math.min(rule.baseMs * rule.factor ** (attempt - 1), rule.maxMs);
  return Math.round(wait * (1 + rule.jitter * (2 * random - 1)));
}

function invalid(what: string, shown: string): QueueError {
  return new QueueError('E_CONFIG', `${what}: ${shown} is not a backoff`, {
    fix: "Use a time span ('5s'), a list of them, or exponential('1s', { max: '1h', jitter: true }).",
  });
}
