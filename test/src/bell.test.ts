import { afterEach, describe, expect, test, vi } from 'vitest';
import { Bell } from '../../src/bell.js';

afterEach(() => vi.restoreAllMocks());

describe('a bell', () => {
  test('wakes all who wait, once', async () => {
    const bell = new Bell();
    let woken = 0;
    const waits = [bell.wait(), bell.wait(10_000), bell.wait()].map((wait) => wait.then(() => woken++));
    bell.ring();
    await Promise.all(waits);
    expect(woken).toBe(3);
  });

  test('forgets a ring that nobody waits for', async () => {
    const bell = new Bell();
    bell.ring();
    let woken = false;
    const wait = bell.wait().then(() => {
      woken = true;
    });
    await new Promise(setImmediate);
    expect(woken).toBe(false);
    bell.ring();
    await wait;
  });

  test('wakes by itself after the most that was asked for', async () => {
    await new Bell().wait(1);
  });

  test('forgets a wait that is over: an idle worker waits for years', async () => {
    const bell = new Bell();
    for (let look = 0; look < 20; look++) await bell.wait(0);
    // Whoever the bell still remembers has its timer cleared by a ring.
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    bell.ring();
    expect(cleared.mock.calls.length).toBe(0);
  });
});
