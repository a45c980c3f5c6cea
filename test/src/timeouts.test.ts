import { expect, test } from 'vitest';
import { Timeouts } from '../../src/timeouts.js';
import { deferred, within } from '../support/deferred.js';

function timed(told: string[], name: string) {
  const over = deferred<void>();
  const timedOut = () => {
    told.push(name);
    over.resolve();
  };
  return { dueMs: 0, timedPlace: -1, timedOut, over: over.promise };
}

test('each is told when its own timeout is over, whatever the order in which they began', async () => {
  const timeouts = new Timeouts();
  const told: string[] = [];
  const [late, early, earliest] = [timed(told, 'late'), timed(told, 'early'), timed(told, 'earliest')];
  timeouts.add(late, 300);
  await new Promise((resolve) => setImmediate(resolve)); // its timer runs
  timeouts.add(early, 100);
  timeouts.add(earliest, 1);
  await within(Promise.all([late.over, early.over, earliest.over]), 'the timeouts');
  expect(told).toEqual(['earliest', 'early', 'late']);
});

test('what has ended is not told', async () => {
  const timeouts = new Timeouts();
  const told: string[] = [];
  const [ended, other] = [timed(told, 'ended'), timed(told, 'other')];
  timeouts.add(ended, 5);
  timeouts.add(other, 20);
  await new Promise((resolve) => setImmediate(resolve));
  timeouts.delete(ended);
  await within(other.over, 'the other');
  expect(told).toEqual(['other']);
});

test('no timer is left once all have ended, so that the process may end', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const timeouts = new Timeouts();
  const one = timed([], 'one');
  const before = timers();
  timeouts.add(one, 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(timers()).toBe(before + 1);
  timeouts.delete(one);
  expect(timers()).toBe(before);
});
