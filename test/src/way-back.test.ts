import { expect, test } from 'vitest';
import { HeldJob } from '../../src/held-job.js';
import { WayBack } from '../../src/way-back.js';
import { deferred } from '../support/deferred.js';

function held(id: string): HeldJob {
  const lease = { queue: 'q', token: id, handle: id };
  return new HeldJob({ id, queue: 'q', body: '', attempts: 1, lease }, 0);
}

/** A way back that notes each call. */
function setUp() {
  const calls: string[][] = [];
  const arrival = deferred();
  const way = new WayBack((jobs) => {
    calls.push(jobs.map(({ id }) => id));
    return arrival.promise;
  });
  return { way, calls, arrival };
}

test('jobs go at once where no reserve is under way', () => {
  const { way, calls } = setUp();
  void way.take([held('a')]);
  way.reserving();
  expect(way.reserved([held('b')])).toBe(false);
  void way.take([held('c')]);
  expect(calls).toEqual([['a'], ['c']]);
});

test('those that go meanwhile go in one call with what it brings, which came behind them', async () => {
  const { way, calls, arrival } = setUp();
  way.reserving();
  const back = [way.take([held('a'), held('b')]), way.take([held('c')])];
  expect(calls).toEqual([]);
  expect(way.reserved([held('d')])).toBe(true);
  expect(calls).toEqual([['a', 'b', 'c', 'd']]);
  arrival.resolve();
  await Promise.all(back);
  way.reserving();
  expect(way.reserved([held('e')])).toBe(false);
});

test('where it brought nothing they go alone', () => {
  const { way, calls } = setUp();
  way.reserving();
  void way.take([held('a')]);
  expect(way.reserved([])).toBe(true);
  expect(calls).toEqual([['a']]);
});
