import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/index.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const late = () => new Error('late');
const never = () => new Promise<string>(() => undefined);

test('a command has its own time, whatever others have, and all share one timer', async () => {
  const deadlines = new Deadlines();
  const ended: string[] = [];
  const wait = (name: string, ms: number) =>
    deadlines.within(never(), ms, { late }).catch(() => ended.push(name));
  void wait('long', 300);
  void wait('short', 100);
  void wait('middle', 200);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(110);
  expect(ended).toEqual(['short']);
  await vi.advanceTimersByTimeAsync(100);
  expect(ended).toEqual(['short', 'middle']);
  await vi.advanceTimersByTimeAsync(100);
  expect(ended).toEqual(['short', 'middle', 'long']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a result in time is the result, and an error the error', async () => {
  const deadlines = new Deadlines();
  expect(await deadlines.within(Promise.resolve('done'), 100, { late })).toBe('done');
  await expect(deadlines.within(Promise.reject(new Error('refused')), 100, { late })).rejects.toThrow(
    'refused',
  );
});

test('what is made of an error takes its place, within the same time', async () => {
  const deadlines = new Deadlines();
  const refused = () => Promise.reject(new Error('refused'));
  expect(await deadlines.within(refused(), 100, { late, failed: async () => 'mended' })).toBe('mended');
  const stuck = deadlines.within(refused(), 100, { late, failed: never });
  const told = expect(stuck).rejects.toThrow('late');
  await vi.advanceTimersByTimeAsync(110);
  await told;
});

test('everyone who waits for it to be idle is told', async () => {
  const deadlines = new Deadlines();
  await deadlines.whenIdle();
  let answer = (_: string): void => {};
  const command = deadlines.within(new Promise<string>((resolve) => (answer = resolve)), 100, { late });
  const idle = [deadlines.whenIdle(), deadlines.whenIdle()];
  answer('done');
  await Promise.all([command, ...idle]);
});

test('a command gets back what a blocked event loop took from it, however little was left on the timer', async () => {
  const blockEventLoop = blockable();
  const deadlines = new Deadlines();
  let answer = (_: string): void => {};
  const first = deadlines.within(never(), 300, { late });
  const second = deadlines.within(new Promise<string>((resolve) => (answer = resolve)), 310, { late });
  const told = expect(second).resolves.toBe('done');
  const blocked = first.catch(() => {
    // The timer has just been set for the 10 ms that the second has left.
    blockEventLoop(500);
    setTimeout(answer, 50, 'done');
  });
  await vi.advanceTimersByTimeAsync(400);
  await blocked;
  await told;
});

/** The clock goes on without the timers, as while the event loop is blocked. */
function blockable(): (ms: number) => void {
  const hrtime = process.hrtime;
  let blockedMs = 0;
  vi.spyOn(process, 'hrtime').mockImplementation(() => {
    const [seconds, nanoseconds] = hrtime();
    const ms = seconds * 1000 + nanoseconds / 1e6 + blockedMs;
    return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
  });
  return (ms) => {
    blockedMs += ms;
  };
}
