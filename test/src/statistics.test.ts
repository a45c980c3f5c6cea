import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import {
  createQueue,
  type Driver,
  defineJob,
  ProcessStatistics,
  QueueError,
  type QueueStats,
  type StatisticsRow,
} from '../../src/index.js';
import { tidy } from '../../src/statistics-tidy.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { recordingLogger, workOff } from '../support/recorder.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const all = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };

function setUp(driver: (clock: ReturnType<typeof manualClock>) => Driver = (clock) => memory({ clock })) {
  const clock = manualClock(Math.ceil(1_700_000_000_000 / hourMs) * hourMs);
  const logger = recordingLogger();
  const ok = defineJob<{ forMs: number } | null>({
    name: 'ok',
    handle: ({ data }) => clock.advance(data?.forMs ?? 0),
  });
  const fails = defineJob({
    name: 'fails',
    tries: 2,
    backoff: 0,
    handle: () => Promise.reject(new Error('no luck')),
  });
  const queue = createQueue({
    connections: { main: driver(clock) },
    jobs: [ok, fails],
    clock,
    logger,
  });
  return { clock, logger, queue, ok, fails };
}

function countsOf({ jobs }: QueueStats) {
  return Object.fromEntries(
    jobs.map(({ queue, name, pushed, done, failed, released, timedOut }) => [
      `${queue} ${name}`,
      { pushed, done, failed, released, timedOut },
    ]),
  );
}

const none = { pushed: 0, done: 0, failed: 0, released: 0, timedOut: 0 };

describe('what is counted', () => {
  test('pushed, done, released and failed, by queue and job name', async () => {
    const { queue, ok, fails } = setUp();
    await queue.push(ok, null, { id: 'mine' });
    await queue.push(ok, null, { id: 'mine' }); // there already: nothing was stored
    await queue.pushMany([
      [ok, null, { queue: 'other' }],
      [fails, null],
      [ok, null],
    ]);
    await workOff(queue, { queues: ['default', 'other'] });
    expect(countsOf(await queue.stats())).toEqual({
      'default ok': { ...none, pushed: 2, done: 2 },
      'other ok': { ...none, pushed: 1, done: 1 },
      'default fails': { ...none, pushed: 1, released: 1, failed: 1 },
    });
    const { total } = await queue.stats();
    expect(total).toMatchObject({ pushed: 4, done: 3, released: 1, failed: 1, run: { count: 5 } });
    expect(countsOf(await queue.stats({ queue: 'other' }))).toEqual({
      'other ok': { ...none, pushed: 1, done: 1 },
    });
    expect(Object.keys(countsOf(await queue.stats({ name: 'fails' })))).toEqual(['default fails']);
  });

  test('an attempt over its timeout, beside what became of it', async () => {
    const slow = defineJob({
      name: 'slow',
      tries: 2,
      backoff: 0,
      timeout: '20ms',
      handle: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
    });
    const own = createQueue({ connections: { main: memory() }, jobs: [slow] });
    await own.push(slow);
    await workOff(own);
    const { total } = await own.stats();
    expect(total).toMatchObject({ ...none, pushed: 1, released: 1, failed: 1, timedOut: 2 });
    expect(total.run?.p50Ms).toBeGreaterThan(15);
    await own.close();
  });

  test('the wait is from when the job was due to its first run, and never below zero', async () => {
    const { queue, clock, ok, fails } = setUp();
    await queue.push(ok, null, { delay: '1m' });
    await queue.push(fails, null, { delay: '1m' });
    clock.advance(minuteMs + 5000);
    await workOff(queue);
    const { jobs } = await queue.stats();
    expect(jobs.map(({ name, wait }) => [name, wait])).toEqual([
      ['fails', expect.objectContaining({ count: 1, maxMs: 5000 })],
      ['ok', expect.objectContaining({ count: 1, maxMs: 5000 })],
    ]);
    // Pushed by a machine whose clock is an hour ahead.
    await queue.push(ok, null);
    clock.advance(-hourMs);
    await queue.connection('main').push(ok, null);
    await workOff(queue);
    const { total } = await queue.stats({ since: '2h' });
    expect(total.wait).toMatchObject({ count: 3, meanMs: 3333.333, maxMs: 5000 });
  });

  test('jobs that run as they are pushed, failing ones too', async () => {
    const { queue, ok, fails } = setUp(() => sync());
    await queue.push(ok, null);
    await expect(queue.pushMany([[fails, null]])).rejects.toThrow('no luck');
    await expect(queue.push(fails)).rejects.toThrow('no luck');
    expect(countsOf(await queue.stats())).toEqual({
      'default ok': { ...none, pushed: 1, done: 1 },
      'default fails': { ...none, pushed: 2, failed: 2 },
    });
  });

  test('nothing where statistics are off, and nothing is written', async () => {
    const driver = faulty(memory());
    const ok = defineJob({ name: 'ok', handle: () => {} });
    const queue = createQueue({ connections: { main: driver }, jobs: [ok], statistics: false });
    await queue.push(ok);
    await workOff(queue);
    expect((await queue.stats()).jobs).toEqual([]);
    await queue.close();
    expect(driver.faults.calls('statistics.put')).toBe(0);
  });

  test('a store without room for them is told of by stats, and by nothing else', async () => {
    const ok = defineJob({ name: 'ok', handle: () => {} });
    const queue = createQueue({ connections: { main: faulty(memory(), ['statistics']) }, jobs: [ok] });
    await queue.push(ok);
    await workOff(queue);
    await expect(queue.stats()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    await queue.close();
  });

  test.each([
    [{ sinse: '1h' }, 'E_CONFIG'],
    [{ since: 'yesterday' }, 'E_DURATION'],
    [{ since: new Date('x') }, 'E_DURATION'],
    [{ queue: 'a b' }, 'E_QUEUE_NAME'],
    [{ name: 7 }, 'E_CONFIG'],
  ])('options that cannot be are refused: %j', async (options, code) => {
    await expect(setUp().queue.stats(options as object)).rejects.toMatchObject({ code });
  });
});

describe('minutes and hours', () => {
  test('each minute of two hours, then each hour, whatever was merged meanwhile', async () => {
    const { queue, clock, ok } = setUp();
    const startMs = clock.now();
    for (let minute = 0; minute < 200; minute++) {
      await queue.push(ok, { forMs: 100 });
      await workOff(queue);
      clock.advance(minuteMs - 100);
    }
    const short = await queue.stats({ since: '1h' });
    expect(short).toMatchObject({ spanMs: minuteMs, untilMs: clock.now(), sinceMs: clock.now() - hourMs });
    expect(short.points.map(({ done }) => done)).toEqual(Array(60).fill(1));
    const long = await queue.stats({ since: '4h' });
    expect(long.spanMs).toBe(hourMs);
    expect(long.points.map((point) => [(point.startMs - startMs) / hourMs, point.done])).toEqual([
      [0, 60],
      [1, 60],
      [2, 60],
      [3, 20],
    ]);
    expect(long.total).toMatchObject({ done: 200, wait: { count: 200 } });
    await queue.close();
  });
});

describe('rows', () => {
  let store: ProcessStatistics;
  beforeEach(() => {
    store = new ProcessStatistics();
  });
  const nowMs = Math.ceil(1_700_000_000_000 / hourMs) * hourMs;
  const body = (done: number) =>
    JSON.stringify({ v: 1, counts: [0, done, 0, 0, 0], run: [done, 1, 46, done], wait: [0, 0] });
  const row = (startMs: number, source: string, name = 'ok'): StatisticsRow => ({
    level: 'live',
    startMs,
    source,
    queue: 'q',
    name,
    body: body(1),
  });
  const doneIn = (rows: readonly StatisticsRow[]): number =>
    rows.reduce((sum, one) => sum + (JSON.parse(one.body) as { counts: [number, number] }).counts[1], 0);

  test('of many processes become one for each minute, then one for each hour, then none', async () => {
    const rows: StatisticsRow[] = [];
    for (let minute = 0; minute < 240; minute++) {
      for (let process = 0; process < 40; process++) {
        rows.push(row(nowMs - minute * minuteMs, `p${process}`, `job-${process % 2}`));
      }
    }
    await store.put(rows);
    const counted = new Map<string, number>();
    const look = async (): Promise<void> => {
      for (const level of ['live', 'minute', 'hour'] as const) {
        counted.set(level, (await store.read({ ...all, level })).length);
      }
    };
    for (let round = 0; round < 3; round++) await tidy(store, nowMs);
    await look();
    // 6 minutes may still be written; those before are kept for two hours; 4 h less two of them are hours.
    expect([...counted]).toEqual([
      ['live', 6 * 40],
      ['minute', (120 - 6 + 1) * 2],
      ['hour', 2 * 2],
    ]);
    expect(doneIn(await store.read(all))).toBe(240 * 40);
    for (let round = 0; round < 3; round++) await tidy(store, nowMs + 15 * 24 * hourMs);
    expect(await store.read(all)).toEqual([]);
  });

  test('are merged by two at once without counting any twice', async () => {
    const rows = Array.from({ length: 600 }, (_, index) => row(nowMs - hourMs, `p${index}`));
    await store.put(rows);
    await Promise.all([tidy(store, nowMs), tidy(store, nowMs), tidy(store, nowMs)]);
    for (let round = 0; round < 5; round++) await tidy(store, nowMs);
    const left = await store.read(all);
    expect(left).toHaveLength(1);
    expect(doneIn(left)).toBe(600);
  });

  test('that nobody can read are dropped when they are old, and hold nobody up', async () => {
    await store.put([{ ...row(nowMs - hourMs, 'a'), body: 'nonsense' }, row(nowMs - hourMs, 'b')]);
    await tidy(store, nowMs);
    expect(doneIn(await store.read(all))).toBe(1);
  });
});

describe('a store that cannot be written', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('counting goes on, nothing fails, it is said once a minute, and nothing is lost', async () => {
    let driver = faulty(memory());
    const { queue, clock, ok, logger } = setUp((own) => {
      driver = faulty(memory({ clock: own }));
      return driver;
    });
    driver.faults.away('statistics.put');
    for (let minute = 0; minute < 90; minute++) {
      await queue.push(ok, null);
      clock.advance(minuteMs);
      await vi.advanceTimersByTimeAsync(minuteMs);
    }
    const told = logger.lines.filter(({ message }) => message.includes('statistics'));
    expect(told.length).toBeGreaterThan(30);
    expect(told.length).toBeLessThanOrEqual(90);
    expect(told.every(({ level }) => level === 'warn')).toBe(true);
    driver.faults.back();
    const { total, points } = await queue.stats({ since: '3h' });
    expect(total.pushed).toBe(90);
    expect(points.length).toBeLessThanOrEqual(3);
    expect((await driver.store.statistics?.read(all))?.length).toBeLessThanOrEqual(61);
    await queue.close();
  });

  test('a write whose reply was lost is repeated and counts nothing twice', async () => {
    let driver = faulty(memory());
    const { queue, ok } = setUp((clock) => {
      driver = faulty(memory({ clock }));
      return driver;
    });
    await queue.push(ok, null);
    driver.faults.cut('statistics.put');
    await vi.advanceTimersByTimeAsync(2000);
    await queue.push(ok, null);
    expect((await queue.stats()).total.pushed).toBe(2);
    expect(driver.faults.calls('statistics.put')).toBe(2);
  });

  test('for good: one warning with the remedy, and no more tries', async () => {
    let driver = faulty(memory());
    const { queue, ok, logger } = setUp((clock) => {
      driver = faulty(memory({ clock }));
      return driver;
    });
    const missing = new QueueError('E_STORE_SCHEMA', 'no such table', { fix: 'Run: drover queue:migrate' });
    driver.faults.refuse('statistics.put', missing);
    for (let round = 0; round < 5; round++) {
      await queue.push(ok, null);
      await vi.advanceTimersByTimeAsync(5 * minuteMs);
    }
    const told = logger.lines.filter(({ message }) => message.includes('statistics'));
    expect(told.map(({ message }) => message)).toEqual([
      'no statistics from this process: Run: drover queue:migrate',
    ]);
    expect(driver.faults.calls('statistics.put')).toBe(1);
    await queue.close();
  });

  test('one that never answers does not keep close from ending', async () => {
    let driver = faulty(memory());
    const { queue, ok } = setUp((clock) => {
      driver = faulty(memory({ clock }));
      return driver;
    });
    await queue.push(ok, null);
    driver.faults.hold('statistics.put');
    const closed = queue.close();
    await vi.advanceTimersByTimeAsync(2000);
    await closed;
  });

  test('is written every two seconds at most', async () => {
    let driver = faulty(memory());
    const { queue, ok } = setUp((clock) => {
      driver = faulty(memory({ clock }));
      return driver;
    });
    for (let tenth = 0; tenth < 200; tenth++) {
      await queue.push(ok, null);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(driver.faults.calls('statistics.put')).toBeLessThanOrEqual(10);
    expect(driver.faults.calls('statistics.put')).toBeGreaterThanOrEqual(9);
    await queue.close();
    const before = driver.faults.calls('statistics.put');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(driver.faults.calls('statistics.put')).toBe(before);
  });
});
