import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HeldJob } from '../../src/held-job.js';
import { HeldJobs } from '../../src/held-jobs.js';
import { monotonicMs } from '../../src/monotonic.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Held jobs that note which of them went back in vain, and when. */
function setUp() {
  const wentBack: { readonly id: string; readonly atMs: number }[] = [];
  const beganMs = monotonicMs();
  const held = new HeldJobs(
    (jobs) => {
      for (const { reserved } of jobs) wentBack.push({ id: reserved.id, atMs: monotonicMs() - beganMs });
    },
    () => {},
  );
  return { held, wentBack };
}

/** @param tripMs how long ago it was asked for. */
function came(id: string, tripMs = 0): HeldJob {
  const lease = { queue: 'q', token: id, handle: undefined };
  const reserved = { id, queue: 'q', body: '', attempts: 1, createdAt: 0, lease };
  return new HeldJob(reserved as unknown as HeldJob['reserved'], monotonicMs() - tripMs);
}

test('a job goes back on time that came while others were timed', () => {
  const { held, wentBack } = setUp();
  held.add([came('first')]);
  held.take();
  vi.advanceTimersByTime(50);
  held.add([came('second')]);
  vi.advanceTimersByTime(59);
  expect(wentBack).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(wentBack).toEqual([{ id: 'second', atMs: 110 }]);
});

test('all go back with the first, so that none behind it overtakes it', () => {
  const { held, wentBack } = setUp();
  held.add([came('first')]);
  vi.advanceTimersByTime(50);
  held.add([came('second')]);
  vi.advanceTimersByTime(10);
  expect(wentBack.map(({ id }) => id)).toEqual(['first', 'second']);
});

test('one that was long on its way is held as long as others', () => {
  const { held, wentBack } = setUp();
  held.add([came('first')]);
  vi.advanceTimersByTime(30);
  held.take();
  held.add([came('second', 1000)]);
  vi.advanceTimersByTime(59);
  expect(wentBack).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(wentBack).toEqual([{ id: 'second', atMs: 90 }]);
});
