import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { refusal, rulesFor } from '../../src/attempt-rules.js';
import { backoffRule } from '../../src/backoff.js';
import { createQueue, defineJob, type JobSettings, type PushOptions } from '../../src/index.js';
import { type Payload, withTimeToTry } from '../../src/payload.js';
import { afterFailure } from '../../src/retry-policy.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

const timeoutAt = 1_700_000_000;
const endMs = timeoutAt * 1000;
const backoff = backoffRule('10s', 'backoff');
const error = new Error('boom');
const payload: Payload = { job: 'job', maxTries: null, timeout: null, data: null, id: 'x' };

describe("think-queue's table of end time and tries", () => {
  /** When it is by the second of the end, tries, attempts; what follows before a run, and after a failed one. */
  test.each<
    [number, number, number, 'run' | 'retry-until' | 'max-tries', 'again' | 'retry-until' | 'max-tries']
  >([
    [-60, 0, 1, 'run', 'again'],
    [-60, 0, 99, 'run', 'again'],
    [-60, 3, 2, 'run', 'again'],
    [-60, 3, 3, 'run', 'max-tries'],
    [-60, 3, 4, 'run', 'max-tries'],
    [0, 0, 1, 'run', 'retry-until'],
    [0, 3, 4, 'run', 'max-tries'],
    [1, 0, 1, 'retry-until', 'retry-until'],
    [1, 3, 1, 'retry-until', 'retry-until'],
  ])(
    '%i s from the end, tries %i, attempt %i: before it %s, after it %s',
    (seconds, tries, attempts, before, after) => {
      const rules = { tries, backoff, endMs };
      for (const fraction of [0, 999]) {
        const nowMs = endMs + seconds * 1000 + fraction;
        const refused = refusal(payload, attempts, rules, false, nowMs);
        expect(refused?.action === 'fail' ? refused.reason : 'run').toBe(before);
        const action = afterFailure(error, 'max-tries', attempts, rules, { nowMs, random: 0 });
        expect(action).toEqual(
          after === 'again'
            ? { action: 'release', delayMs: 10_000, error }
            : { action: 'fail', reason: after, error },
        );
      }
    },
  );

  test('a job that would be due again only after its end fails with the error at hand', () => {
    const at = (nowMs: number) =>
      afterFailure(error, 'max-tries', 1, { tries: 0, backoff, endMs }, { nowMs, random: 0 });
    expect(at(endMs - 9_001)).toMatchObject({ action: 'release' });
    expect(at(endMs - 9_000)).toEqual({ action: 'fail', reason: 'retry-until', error });
  });

  test('in the second of the end nothing is tried again, also not without a wait', () => {
    const rules = { tries: 0, backoff: backoffRule(0, 'backoff'), endMs };
    const at = (nowMs: number) => afterFailure(error, 'max-tries', 1, rules, { nowMs, random: 0 });
    expect(at(endMs - 1)).toMatchObject({ action: 'release' });
    expect(at(endMs)).toMatchObject({ action: 'fail', reason: 'retry-until' });
  });

  test('a timeout at the end keeps its reason', () => {
    const action = afterFailure(
      error,
      'timed-out',
      1,
      { tries: 0, backoff, endMs },
      { nowMs: endMs, random: 0 },
    );
    expect(action).toMatchObject({ action: 'fail', reason: 'timed-out' });
  });
});

test("the worker's tries are for jobs without an end time, a job's own count beside it", () => {
  const defaults = { tries: 3, backoff, timeoutMs: 0, graceMs: 0, unknownJobPatienceMs: 0 };
  const triesOf = (fields: Partial<Payload>) =>
    rulesFor({ ...payload, ...fields }, undefined, defaults).tries;
  expect([triesOf({}), triesOf({ timeoutAt }), triesOf({ timeoutAt, maxTries: 2 })]).toEqual([3, 0, 2]);
  expect(rulesFor({ ...payload, timeoutAt: 1 }, undefined, defaults, true)).toMatchObject({
    tries: 1,
    endMs: undefined,
  });
});

function setUp(settings: JobSettings = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const state = { runs: 0, broken: true };
  const job = defineJob({
    name: 'job',
    backoff: '1m',
    ...settings,
    handle() {
      state.runs += 1;
      if (state.broken) throw new Error('boom');
    },
  });
  class Classy {
    static readonly retryUntil = '1h';
    fire() {}
  }
  const queue = createQueue({ connections: { default: driver }, jobs: { job, Classy }, clock });
  const bodies = async () => {
    const jobs = await driver.store.reserve(['default'], 9, 1000);
    await driver.store.unreserve?.(jobs.map(({ lease }) => lease));
    return jobs.map(({ body }) => body);
  };
  const stored = async () => (await bodies()).map((body) => JSON.parse(body));
  return { clock, driver, job, queue, state, bodies, stored, Classy };
}

describe('the end is written by the push', () => {
  test.each<[string, JobSettings, PushOptions, number | undefined]>([
    ['none', {}, {}, undefined],
    ["the push's span", {}, { retryUntil: '10m' }, 600],
    ["the definition's span", { retryUntil: '1h' }, {}, 3600],
    ["the push's before the definition's", { retryUntil: '1h' }, { retryUntil: 90 }, 90],
    ['a span from when it is due', {}, { retryUntil: '10m', delay: '1h' }, 4200],
    ['rounded up to a second', {}, { retryUntil: '1500ms' }, 2],
  ])('%s', async (_, settings, options, seconds) => {
    const { clock, queue, job, bodies } = setUp(settings);
    const now = clock.now();
    await queue.push(job, 'data', { ...options, id: 'x' });
    clock.advance(3_600_000);
    const [body] = await bodies();
    const end = seconds === undefined ? '' : `"timeoutAt":${Math.ceil((now + seconds * 1000) / 1000)},`;
    const dueAt = now + (options.delay ? 3_600_000 : 0);
    const spans = '"job":"job","maxTries":null,"timeout":null,';
    expect(body).toBe(`{${spans}${end}"data":"data","dueAt":${dueAt},"id":"x","attempts":0}`);
  });

  test('a Date, and the static setting of a class', async () => {
    const { clock, queue, job, stored, Classy } = setUp({ retryUntil: '1h' });
    await queue.push(job, null, { retryUntil: new Date(endMs) });
    await queue.push(Classy);
    expect(await stored()).toMatchObject([
      { timeoutAt },
      { timeoutAt: Math.ceil((clock.now() + 3_600_000) / 1000) },
    ]);
  });

  test('what is no time is refused, and nothing stored', async () => {
    const { queue, job } = setUp();
    for (const retryUntil of [new Date(Number.NaN), 'soon', endMs, -1] as never[]) {
      await expect(queue.push(job, null, { retryUntil })).rejects.toMatchObject({ code: 'E_DURATION' });
    }
    expect(() => defineJob({ name: 'x', retryUntil: 'soon' as never, handle() {} })).toThrow(/retryUntil/);
    expect(await queue.size()).toMatchObject({ ready: 0 });
  });
});

describe('a worker', () => {
  test('tries as often as time allows, then fails with the error', async () => {
    const { clock, queue, job, state } = setUp();
    await queue.push(job, null, { retryUntil: '10m' });
    for (let minute = 0; minute < 20; minute++) {
      await workOff(queue);
      clock.advance(60_000);
    }
    expect(state.runs).toBe(11); // also in the very second of the end
    expect(await queue.failed.list()).toMatchObject([
      { reason: 'retry-until', message: 'boom', attempts: 11 },
    ]);
  });

  test('fails a job of PHP that waited past its end without a run, and runs one that did not', async () => {
    const { clock, driver, queue, state } = setUp();
    const seconds = Math.floor(clock.now() / 1000);
    const body = (at: number | null) =>
      `{"job":"job","maxTries":null,"timeout":null,"timeoutAt":${at},"data":[],"id":"p","attempts":0}`;
    state.broken = false;
    for (const [id, at] of [
      ['over', seconds - 1],
      ['now', seconds],
      ['never', null],
    ] as const) {
      await driver.store.push('default', [{ id, body: body(at) }]);
    }
    await workOff(queue);
    expect(state.runs).toBe(2);
    expect(await queue.failed.list()).toMatchObject([
      {
        jobId: 'over',
        reason: 'retry-until',
        errorClass: 'QueueError',
        errorCode: 'E_RETRY_UNTIL',
        attempts: 1,
      },
    ]);
  });

  test('a retry by hand gives the same time again, each time', async () => {
    const { clock, queue, job, state, stored } = setUp();
    await queue.push(job, null, { retryUntil: '10m', id: 'mine' });
    for (let round = 0; round < 3; round++) {
      clock.advance(3_600_000);
      await workOff(queue);
      expect(state.runs).toBe(0);
      const failed = await queue.failed.list();
      expect(failed).toMatchObject([{ jobId: 'mine', reason: 'retry-until' }]);
      expect(await queue.failed.retry(failed)).toMatchObject([{ outcome: 'retried' }]);
      expect(await queue.failed.list()).toEqual([]);
      const end = Math.ceil((clock.now() + 600_000) / 1000);
      expect(await stored()).toMatchObject([{ timeoutAt: end, dueAt: clock.now(), id: 'mine' }]);
    }
    state.broken = false;
    await workOff(queue);
    expect(state.runs).toBe(1);
  });
});

describe('a body that starts over', () => {
  const head = '{"job":"A\\\\B@c","maxTries":3,"timeout":1.5,"timeoutAt":';
  const tail = ',"data":{"x":"\\"timeoutAt\\":5,\\"dueAt\\":6","f":1.0}';
  test.each([
    ['in time', `${head}2000${tail},"id":"x","attempts":0}`, undefined],
    [
      'without an end',
      '{"job":"a","maxTries":null,"timeout":null,"data":1,"id":"x","attempts":0}',
      undefined,
    ],
    ['with null', `${head}null${tail},"id":"x","attempts":0}`, undefined],
    ['with other keys first', '{"timeoutAt":5,"job":"a"}', undefined],
    ['no JSON', `x${head}5`, undefined],
    ['from PHP', `${head}5${tail},"id":"x","attempts":0}`, `${head}null${tail},"id":"x","attempts":0}`],
    [
      'of ours',
      `${head}900${tail},"dueAt":300000,"id":"x","attempts":2}`,
      `${head}1600${tail},"dueAt":1000000,"id":"x","attempts":2}`,
    ],
    [
      'due after its end',
      `${head}200${tail},"dueAt":300000,"id":"x","attempts":0}`,
      `${head}null${tail},"dueAt":1000000,"id":"x","attempts":0}`,
    ],
  ])('%s', (_, body, expected) => {
    expect(withTimeToTry(body, 1_000_000)).toBe(expected);
  });

  test('takes no long time for a hostile megabyte', () => {
    const body = `{"job":"${'\\\\'.repeat(500_000)}`;
    const startedMs = performance.now();
    expect(withTimeToTry(body, 0)).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});
