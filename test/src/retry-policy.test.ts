import { describe, expect, test } from 'vitest';
import { backoffRule } from '../../src/backoff.js';
import { type ErrorCode, exponential, QueueError } from '../../src/index.js';
import type { JobState } from '../../src/job-verbs.js';
import { afterFailure, decide, type RetryRules, type RunEnd, type Verdict } from '../../src/retry-policy.js';

const thrown = new Error('boom');
const aborts = {
  nothing: undefined,
  timeout: new QueueError('E_TIMEOUT', 'too long'),
  'a lost lease': new QueueError('E_LEASE_LOST', 'lost'),
  'a stopping worker': new QueueError('E_STOPPED', 'stopping'),
};

const backoff = backoffRule([7, 9], 'backoff');
const now = { nowMs: 1_700_000_000_000, random: 0.5 };
/** Name, attempts so far, rules, and whether there is a next time. */
const tries: readonly [name: string, attempts: number, rules: RetryRules, waitMs: number | null][] = [
  ['the first of three', 1, { tries: 3, backoff }, 7000],
  ['the second of three', 2, { tries: 3, backoff }, 9000],
  ['the last of three', 3, { tries: 3, backoff }, null],
  ['one too many', 4, { tries: 3, backoff }, null],
  ['the only one', 1, { tries: 1, backoff }, null],
  ['the 1000th without limit', 1000, { tries: 0, backoff }, 9000],
];

const nothing: Verdict = { action: 'none' };
const done: Verdict = { action: 'delete' };

/** How the run ended, what aborted it, and what follows with ack auto and with ack manual. */
type Row = readonly [
  how: 'returned' | 'threw',
  abort: keyof typeof aborts,
  auto: Verdict | 'retry',
  manual: Verdict | 'retry',
];
const table: readonly Row[] = [
  ['returned', 'nothing', done, nothing],
  ['returned', 'a lost lease', done, nothing],
  ['returned', 'a stopping worker', done, nothing],
  ['returned', 'timeout', 'retry', 'retry'],
  ['threw', 'nothing', 'retry', 'retry'],
  ['threw', 'a lost lease', nothing, nothing],
  ['threw', 'a stopping worker', { action: 'give-back' }, { action: 'give-back' }],
  ['threw', 'timeout', 'retry', 'retry'],
];

function runEnd(how: Row[0], abort: Row[1]): RunEnd {
  const abortedBy = aborts[abort];
  return how === 'returned' ? { returned: true, abortedBy } : { returned: false, error: thrown, abortedBy };
}

describe('a run on an open job', () => {
  for (const [how, abort, auto, manual] of table) {
    for (const ack of ['auto', 'manual'] as const) {
      const expected = ack === 'auto' ? auto : manual;
      for (const [name, attempts, rules, waitMs] of tries) {
        test(`${how}, aborted by ${abort}, ack ${ack}, ${name}`, () => {
          const error = abort === 'timeout' ? aborts.timeout : thrown;
          const reason = abort === 'timeout' ? 'timed-out' : 'max-tries';
          const again: Verdict =
            waitMs === null
              ? { action: 'fail', reason, error }
              : { action: 'release', delayMs: waitMs, error };
          for (const state of ['open', 'closed'] as const) {
            expect(decide(runEnd(how, abort), { state, ack, attempts }, rules, now)).toEqual(
              expected === 'retry' ? again : expected,
            );
          }
        });
      }
    }
  }

  test('keeps the very error that was thrown, also undefined', () => {
    const job = { state: 'open', ack: 'auto', attempts: 1 } as const;
    const verdict = decide({ returned: false, error: undefined }, job, { tries: 1, backoff }, now);
    expect(verdict).toEqual({ action: 'fail', reason: 'max-tries', error: undefined });
  });

  test('treats an abort for any other reason as none', () => {
    const abortedBy = new QueueError('E_STORE_UNAVAILABLE' satisfies ErrorCode, 'away');
    const job = { state: 'open', ack: 'auto', attempts: 1 } as const;
    expect(decide({ returned: true, abortedBy }, job, { tries: 1, backoff }, now)).toEqual(done);
  });
});

describe('what the handler settled stands', () => {
  test.each<JobState>(['deleted', 'released', 'failed', 'lost'])('%s, however the run ended', (state) => {
    for (const [how, abort] of table) {
      for (const ack of ['auto', 'manual'] as const) {
        for (const [, attempts, rules] of tries) {
          expect(decide(runEnd(how, abort), { state, ack, attempts }, rules, now)).toEqual(nothing);
        }
      }
    }
  });
});

describe('what the handler settled in its own transaction', () => {
  const job = { state: 'deleted-in', ack: 'auto', attempts: 1 } as const;
  const rules = { tries: 3, backoff };

  test('stands where the handler returned, also when it was aborted', () => {
    const abortedBy = new QueueError('E_TIMEOUT', 'late');
    expect(decide({ returned: true }, job, rules, now)).toEqual(nothing);
    expect(decide({ returned: true, abortedBy }, job, rules, now)).toEqual(nothing);
  });

  test('is taken to have rolled back where it threw', () => {
    const error = new Error('no commit');
    expect(decide({ returned: false, error }, job, rules, now)).toMatchObject({ action: 'release', error });
    expect(decide({ returned: false, error }, { ...job, attempts: 3 }, rules, now)).toMatchObject({
      action: 'fail',
      reason: 'max-tries',
    });
  });
});

test('a failure draws its wait from the backoff, spread by the random number', () => {
  const rules = { tries: 0, backoff: backoffRule(exponential('10s'), 'backoff') };
  const waits = [0, 0.5, 1].map((random) =>
    afterFailure(thrown, 'max-tries', 3, rules, { nowMs: 0, random }),
  );
  expect(waits).toEqual(
    [32_000, 40_000, 48_000].map((delayMs) => ({ action: 'release', delayMs, error: thrown })),
  );
});

test('a failure keeps its reason when tries are used up', () => {
  expect(afterFailure(thrown, 'unknown-job', 1, { tries: 1, backoff }, now)).toEqual({
    action: 'fail',
    reason: 'unknown-job',
    error: thrown,
  });
});
