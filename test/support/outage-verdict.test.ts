import { expect, test } from 'vitest';
import { type Push, verdict } from './outage-verdict.js';

const span = { fromMs: 1000, untilMs: 4000 };
const judged = (push: Pick<Push, 'fromMs' | 'atMs'>, times: readonly number[]) =>
  verdict({ repeatsPushesAfterMs: 500 }, span, [{ id: 'a', queue: 'q', ...push }], {
    ran: times.map((atMs) => ({ id: 'a', queue: 'q', atMs })),
    events: ['job:started', 'job:done'],
  });

test.each([
  ['was under way as the outage began', { fromMs: 999, atMs: 1001 }],
  ['was under way as it ended', { fromMs: 3999, atMs: 4001 }],
  ['had no answer for the time of a command', { fromMs: 5000, atMs: 5500 }],
])('a job may run twice whose push %s', (_, push) => {
  expect(judged(push, [5600, 5620])).toEqual({ accepted: 1, lost: 0, doubled: 1 });
});

test.each([
  ['was over before the outage', { fromMs: 900, atMs: 999 }],
  ['began after it', { fromMs: 4000, atMs: 4499 }],
])('a job may not run twice whose push %s; what is said of it has the times of both', (_, push) => {
  expect(() => judged(push, [5600, 5620])).toThrow('ran twice, the outage from 1000 to 4000');
  expect(judged(push, [5600])).toEqual({ accepted: 1, lost: 0, doubled: 0 });
});

test('a job may not be lost', () => {
  expect(() => judged({ fromMs: 3999, atMs: 4001 }, [])).toThrow('to deeply equal');
});
