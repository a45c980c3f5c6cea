import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryConnector } from '../../drivers/memory/connector.js';
import { memory } from '../../drivers/memory/index.js';
import { type DriverContext, type NewJob, silentLogger, systemClock } from '../../src/index.js';
import { offeredCapabilities } from '../conformance/index.js';
import { memoryHarness } from '../support/memory-harness.js';
import { runConformance } from '../support/run-conformance.js';

describe('memory keeps the contract', () => {
  runConformance(memoryHarness(), ['deleteAndReserve', 'migrate', 'diagnose', 'second-connector']);

  test('and offers every capability that a store in memory can have', async () => {
    const offered = [
      'unreserve',
      'postpone',
      'releaseThrown',
      'fail',
      'waitForJob',
      'failedJobs',
      'failedJobs.retry',
      'signals',
      'signals.swap',
      'workers',
      'statistics',
      'history',
      'peek',
      'longestWaitMs',
    ];
    expect(await offeredCapabilities(memoryHarness())).toEqual(offered);
  });
});

describe('memory()', () => {
  const context: DriverContext = {
    connection: 'main',
    clock: { now: () => 5_000 },
    logger: silentLogger,
    runInline: () => Promise.reject(new Error('memory runs nothing inline')),
  };
  const job: NewJob = { id: 'a', body: '{}', availableAtMs: 10_000 };

  test('takes the settings that all connections share', () => {
    expect(memory({ queue: 'mail', lease: '5m' })).toMatchObject({
      driver: 'memory',
      settings: { queue: 'mail', leaseMs: 300_000 },
    });
    expect(() => memory({ lease: '1ms' })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });

  test("goes by the application's clock unless it has its own", async () => {
    const byContext = memory().connect(context);
    const byOption = memory({ clock: { now: () => 20_000 } }).connect(context);
    await byContext.push('q', [job]);
    await byOption.push('q', [job]);
    expect(await byContext.size('q')).toEqual({ ready: 0, delayed: 1, reserved: 0 });
    expect(await byOption.size('q')).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('makes a new store each time, which knows no lease of another', async () => {
    const driver = memory();
    const [one, two] = [driver.connect(context), driver.connect(context)];
    for (const connector of [one, two]) await connector.push('q', [{ id: 'a', body: '{}' }]);
    const [held] = await one.reserve(['q'], 1, 60_000);
    await two.reserve(['q'], 1, 60_000);
    expect(await two.delete(held ? [held.lease] : [])).toEqual([false]);
  });
});

describe('memory orders 100,000 jobs', () => {
  const count = 100_000;
  /** The same numbers on every run, in no order: 7,919 and 1,009 are prime. */
  const delayOf = (index: number): number => (index * 7_919) % 1_009;
  const jobs = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    body: '',
    delayMs: delayOf(index),
  }));
  const expected = jobs.toSorted((a, b) => a.delayMs - b.delayMs).map(({ id }) => id);

  async function filled(): Promise<MemoryConnector> {
    let nowMs = 0;
    const connector = new MemoryConnector({ now: () => nowMs });
    await connector.push('q', jobs);
    nowMs = 1_009;
    return connector;
  }

  test('one at a time, with every job settled', async () => {
    const connector = await filled();
    const ids: string[] = [];
    for (;;) {
      const [held] = await connector.reserve(['q'], 1, 60_000);
      if (held === undefined) break;
      ids.push(held.id);
      await connector.delete([held.lease]);
    }
    expect(ids).toEqual(expected);
  });

  test('all at once', async () => {
    const connector = await filled();
    const held = await connector.reserve(['q'], Number.POSITIVE_INFINITY, 60_000);
    expect(held.map(({ id }) => id)).toEqual(expected);
  });
});

describe('waitForJob of memory', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const longMs = 3_600_000;
  const job = (id: string, delayMs = 0): NewJob => ({ id, body: '{}', delayMs });

  /** A wait on queue `q` whose end can be looked at. */
  function startWait(connector: MemoryConnector, maxWaitMs = longMs) {
    const stop = new AbortController();
    const state = { stop, isOver: false };
    void connector.waitForJob(['q'], maxWaitMs, stop.signal).then(() => {
      state.isOver = true;
    });
    return state;
  }

  async function isOverAfter(wait: { readonly isOver: boolean }, ms: number): Promise<boolean> {
    await vi.advanceTimersByTimeAsync(ms);
    return wait.isOver;
  }

  test('ends when the next delayed job falls due, and not before', async () => {
    const connector = new MemoryConnector(systemClock);
    await connector.push('q', [job('later', 9_000), job('sooner', 5_000)]);
    const wait = startWait(connector);
    expect(await isOverAfter(wait, 4_999)).toBe(false);
    expect(await isOverAfter(wait, 1)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts what comes while it waits: a sooner job, a shorter lease', async () => {
    const connector = new MemoryConnector(systemClock);
    await connector.push('q', [job('a', 9_000)]);
    const first = startWait(connector);
    await connector.push('q', [job('b', 2_000)]);
    expect(await isOverAfter(first, 1_999)).toBe(false);
    expect(await isOverAfter(first, 1)).toBe(true);

    const [held] = await connector.reserve(['q'], 1, 60_000);
    const second = startWait(connector);
    await connector.extend(held ? [held.lease] : [], 3_000);
    expect(await isOverAfter(second, 2_999)).toBe(false);
    expect(await isOverAfter(second, 1)).toBe(true);
    expect(await connector.size('q')).toEqual({ ready: 1, delayed: 1, reserved: 0 });
  });

  test('ends when a lease lapses that was taken while it waited', async () => {
    const connector = new MemoryConnector(systemClock);
    await connector.push('q', [job('a', 1_000)]);
    const first = startWait(connector);
    expect(await isOverAfter(first, 1_000)).toBe(true);
    const second = startWait(connector);
    await connector.reserve(['q'], 1, 4_000);
    expect(await isOverAfter(second, 0)).toBe(true);
    const third = startWait(connector);
    expect(await isOverAfter(third, 3_999)).toBe(false);
    expect(await isOverAfter(third, 1)).toBe(true);
  });

  test('is not disturbed by another queue or by a job for later', async () => {
    const connector = new MemoryConnector(systemClock);
    const wait = startWait(connector);
    await connector.push('other', [job('a')]);
    await connector.push('q', [job('b', 60_000)]);
    expect(await isOverAfter(wait, 0)).toBe(false);
    await connector.push('q', [job('c')]);
    expect(await isOverAfter(wait, 0)).toBe(true);
  });

  test('goes by the clock it was given, and by real time for the longest wait', async () => {
    let nowMs = 0;
    const connector = new MemoryConnector({ now: () => nowMs });
    await connector.push('q', [job('a', 5_000)]);
    const wait = startWait(connector, 30_000);
    expect(await isOverAfter(wait, 29_999)).toBe(false);
    expect(await isOverAfter(wait, 1)).toBe(true);
    const second = startWait(connector, 30_000);
    nowMs = 5_000;
    expect(await isOverAfter(second, 5_000)).toBe(true);
  });

  test('waits for a job that is further off than a timer can be', async () => {
    const connector = new MemoryConnector(systemClock);
    const dayMs = 86_400_000;
    await connector.push('q', [job('a', 60 * dayMs)]);
    const wait = startWait(connector, 90 * dayMs);
    expect(await isOverAfter(wait, 60 * dayMs - 1)).toBe(false);
    expect(await isOverAfter(wait, 1)).toBe(true);
  });

  test('leaves no timer and no listener, however it ends', async () => {
    const connector = new MemoryConnector(systemClock);
    const ended = startWait(connector, 1_000);
    const aborted = startWait(connector);
    const woken = startWait(connector);
    expect(await isOverAfter(ended, 1_000)).toBe(true);
    aborted.stop.abort();
    expect(await isOverAfter(aborted, 0)).toBe(true);
    expect(woken.isOver).toBe(false);
    await connector.push('q', [job('a')]);
    expect(await isOverAfter(woken, 0)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    for (const { stop } of [ended, aborted, woken]) {
      expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    }
  });

  test('ends when the connector is closed', async () => {
    const connector = new MemoryConnector(systemClock);
    const wait = startWait(connector);
    await connector.close();
    expect(await isOverAfter(wait, 0)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
