import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { backoffRule } from '../../src/backoff.js';
import { createQueue, defineJob, type Job, RetryAfterError, UnrecoverableError } from '../../src/index.js';
import { isUnrecoverable, retryAfterMs } from '../../src/retry-errors.js';
import { afterFailure } from '../../src/retry-policy.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

const now = { nowMs: 1_700_000_000_000, random: 0.5 };
const rules = { tries: 3, backoff: backoffRule('7s', 'backoff') };

describe('UnrecoverableError', () => {
  const cause = new TypeError('no such address');
  const error = new UnrecoverableError('gone for good', { cause });

  test('is an error like others', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'UnrecoverableError', message: 'gone for good', cause });
  });

  test.each([1, 2, 3])('fails the job on attempt %i of 3', (attempts) => {
    expect(afterFailure(error, 'max-tries', attempts, rules, now)).toEqual({
      action: 'fail',
      reason: 'by-handler',
      error,
    });
  });

  test('counts in a class of its own, too', () => {
    class NoSuchUser extends UnrecoverableError {}
    expect(isUnrecoverable(new NoSuchUser())).toBe(true);
  });

  test('counts only where it is what was thrown, not as a cause', () => {
    expect(isUnrecoverable(new Error('x', { cause: error }))).toBe(false);
  });
});

describe('RetryAfterError', () => {
  test.each([
    ['30s', 30_000],
    [120, 120_000],
    [0, 0],
  ] as const)('%s is the wait in place of the backoff', (delay, delayMs) => {
    const error = new RetryAfterError(delay, 'too many requests');
    expect(error).toMatchObject({ name: 'RetryAfterError', message: 'too many requests' });
    expect(afterFailure(error, 'max-tries', 1, rules, now)).toEqual({ action: 'release', delayMs, error });
  });

  test('sets no tries aside', () => {
    const error = new RetryAfterError('30s');
    expect(afterFailure(error, 'max-tries', 3, rules, now)).toMatchObject({
      action: 'fail',
      reason: 'max-tries',
    });
  });

  test('refuses what is no time span', () => {
    expect(() => new RetryAfterError('soon' as never)).toThrow(
      expect.objectContaining({ code: 'E_DURATION' }),
    );
  });
});

test('both are told by a mark that other copies of the package share, and hostile values are neither', () => {
  const foreign = { [Symbol.for('drover.unrecoverable')]: true, [Symbol.for('drover.retry-after')]: 5 };
  expect([isUnrecoverable(foreign), retryAfterMs(foreign)]).toEqual([true, 5]);
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trapped');
      },
    },
  );
  for (const value of [undefined, null, 'text', 5, () => {}, {}, new Error('x'), hostile]) {
    expect([isUnrecoverable(value), retryAfterMs(value)]).toEqual([false, undefined]);
  }
});

describe('thrown by', () => {
  class Dismiss {
    static readonly backoff = '1h';
    fire(_: Job, how: string) {
      if (how === 'give up') throw new UnrecoverableError('no use');
      throw new RetryAfterError('5s');
    }
  }
  const job = defineJob<string>({
    name: 'job',
    backoff: '1h',
    handle: ({ job, data }) => new Dismiss().fire(job, data),
  });

  test.each([
    ['a definition', 'job'],
    ['a class', 'Dismiss'],
  ])('%s', async (_, name) => {
    const clock = manualClock();
    const queue = createQueue({ connections: { default: memory({ clock }) }, jobs: { job, Dismiss } });
    const events = recordEvents(queue);
    await queue.push(name, 'give up', { id: 'up' });
    await queue.push(name, 'wait', { id: 'wait' });
    await workOff(queue, { tries: 2 });
    expect(namesOf(events)).toEqual(['job:started', 'job:failed', 'job:started', 'job:released']);
    expect(events.at(-1)).toMatchObject({ delayMs: 5000 });
    clock.advance(5000);
    await workOff(queue, { tries: 2 });
    expect(await queue.failed.find(['up'])).toMatchObject([{ reason: 'by-handler', attempts: 1 }]);
    expect(await queue.failed.find(['wait'])).toMatchObject([{ reason: 'max-tries', attempts: 2 }]);
  });
});
