import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { HistoryKeeper } from '../../src/history-keeper.js';
import {
  createQueue,
  defineJob,
  type EndedJob,
  type HistoryOptions,
  ProcessHistory,
  QueueError,
} from '../../src/index.js';
import { timeOfJobId } from '../../src/job-id.js';
import { keptResult, mostResultBytes } from '../../src/job-result.js';
import { endedJob } from '../conformance/steps.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { recordingLogger, workOff } from '../support/recorder.js';

const startMs = 1_750_000_000_000;

function setUp(history: HistoryOptions | undefined = { keep: 1000 }, without: 'history'[] = []) {
  const clock = manualClock(startMs);
  const logger = recordingLogger();
  const driver = faulty(memory({ clock, ...(history && { history }) }), without);
  const ok = defineJob<unknown>({
    name: 'ok',
    handle: ({ data }) => {
      clock.advance(250);
      return data;
    },
  });
  const fails = defineJob({
    name: 'fails',
    tries: 1,
    handle: () => {
      clock.advance(40);
      throw Object.assign(new Error('no luck at redis://me:secret@host'), { code: 'ENOLUCK' });
    },
  });
  const queue = createQueue({ connections: { main: driver }, jobs: [ok, fails], clock, logger });
  return { clock, logger, driver, queue, ok, fails };
}

const stored = (driver: ReturnType<typeof setUp>['driver']): Promise<EndedJob[]> =>
  driver.store.history?.list({ limit: 100_000 }) ?? Promise.resolve([]);

describe('what is kept', () => {
  test('done jobs with their times and results; failed ones with their error', async () => {
    const { queue, clock, ok, fails } = setUp();
    const done = await queue.push(ok, { sent: 3 });
    await queue.push(fails, null, { id: 'f1' });
    clock.advance(5000);
    await workOff(queue);
    const [failed, one, ...rest] = await queue.list();
    expect(rest).toEqual([]);
    expect(one).toMatchObject({
      id: done,
      name: 'ok',
      queue: 'default',
      connection: 'main',
      state: 'done',
      attempts: 1,
      createdAtMs: timeOfJobId(done),
      dueAtMs: startMs,
      startedAtMs: startMs + 5000,
      finishedAtMs: startMs + 5250,
      result: '{"sent":3}',
      note: null,
      error: null,
      payload: null,
      pid: process.pid,
    });
    expect(failed).toMatchObject({
      id: 'f1',
      state: 'failed',
      createdAtMs: null,
      startedAtMs: startMs + 5250,
      finishedAtMs: startMs + 5290,
      reason: 'max-tries',
      error: { class: 'Error', code: 'ENOLUCK', message: 'no luck at redis://***@host' },
      uuid: expect.any(String),
    });
    await queue.close();
  });

  test('nothing where it is off: nothing is called, no result is held, and no store is needed', async () => {
    const driver = faulty(memory(), ['history']);
    const ok = defineJob({ name: 'ok', handle: () => ({ toJSON: () => expect.unreachable() }) });
    const queue = createQueue({ connections: { main: driver }, jobs: [ok] });
    const id = await queue.push(ok);
    await workOff(queue);
    expect(await queue.list()).toEqual([]);
    expect(await queue.find(id)).toEqual([]);
    await expect(queue.list({ state: 'done' })).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
      fix: expect.stringContaining('history: { keep: 1000 }'),
    });
    await queue.close();
    for (const verb of ['history.add', 'history.list', 'history.find', 'history.prune'] as const) {
      expect(driver.faults.calls(verb), verb).toBe(0);
    }
  });

  test('a store that has no room for it refuses to work', async () => {
    const { queue } = setUp({ keep: 5 }, ['history']);
    expect(() => queue.worker()).toThrow(expect.objectContaining({ code: 'E_UNSUPPORTED' }));
    await queue.close();
  });

  test('not what was released, lost or given back', async () => {
    const { queue, driver, clock } = setUp();
    const again = defineJob({
      name: 'again',
      handle: async ({ job }) => {
        if (job.attempts() === 1) await job.release(0);
      },
    });
    const own = createQueue({ connections: { main: driver }, jobs: [again], clock });
    await own.push(again);
    await workOff(own);
    expect((await own.list({ state: 'done' })).map(({ attempts }) => attempts)).toEqual([2]);
    await own.close();
    await queue.close();
  });
});

describe('the bounds', () => {
  test('a count keeps the newest so many', async () => {
    const { queue, driver, ok } = setUp({ keep: 10 });
    for (let round = 0; round < 5; round++) {
      await queue.bulk(
        ok,
        [1, 2, 3, 4, 5, 6].map((one) => round * 10 + one),
      );
      await workOff(queue);
    }
    const kept = await stored(driver);
    expect(kept.map(({ result }) => result)).toEqual([
      '46',
      '45',
      '44',
      '43',
      '42',
      '41',
      '36',
      '35',
      '34',
      '33',
    ]);
    await queue.close();
  });

  test('an age keeps those of so long', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0); // the lottery is won each time
    const { queue, driver, ok, clock } = setUp({ keep: '1h' });
    for (const result of [1, 2, 3]) {
      await queue.push(ok, result);
      await workOff(queue);
      clock.advance(30 * 60_000);
    }
    expect((await stored(driver)).map(({ result }) => result)).toEqual(['3', '2']);
    vi.restoreAllMocks();
    await queue.close();
  });

  test.each<[unknown, string]>([
    [{ keep: 0 }, 'E_CONFIG'],
    [{ keep: 100_001 }, 'E_CONFIG'],
    [{ keep: '1000' }, 'E_CONFIG'],
    [{ keep: '10ms' }, 'E_CONFIG'],
    [{ keep: 'a week' }, 'E_DURATION'],
    [{ keep: '20000d' }, 'E_DURATION'],
    [{}, 'E_CONFIG'],
    [true, 'E_CONFIG'],
    [null, 'E_CONFIG'],
  ])('refuses %j', (history, code) => {
    expect(() => memory({ history: history as HistoryOptions })).toThrow(expect.objectContaining({ code }));
  });

  test('says what was meant', () => {
    expect(() => memory({ history: { keeps: 5 } as unknown as HistoryOptions })).toThrow(
      /did you mean keep\?/,
    );
    expect(() => memory({ histoy: {} } as object)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('Did you mean history?') }),
    );
    expect(() => sync({ history: { keep: 5 } } as object)).toThrow(/sync: there is no option history/);
  });
});

describe('a result', () => {
  test.each<[string, unknown, string | null, string | null]>([
    ['nothing', undefined, null, null],
    ['null', null, 'null', null],
    ['text', 'a\0b', '"a\\u0000b"', null],
    ['data', { a: [1, { b: true }] }, '{"a":[1,{"b":true}]}', null],
    [
      'a URL with a login',
      { url: 'redis://me:secret@host?token="x' },
      '{"url":"redis://***@host?token=\\"x"}',
      null,
    ],
    ['a function', () => 1, null, 'JSON cannot hold a function'],
    ['a BigInt', { a: 1n }, null, 'JSON cannot hold it'],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', { enumerable: true, get: () => expect.unreachable() }),
      null,
      'JSON cannot hold it',
    ],
    ['as long as can be', 'x'.repeat(mostResultBytes - 2), `"${'x'.repeat(mostResultBytes - 2)}"`, null],
    ['one byte longer', 'x'.repeat(mostResultBytes - 1), null, 'longer than the 4096 bytes that are kept'],
    ['longer in bytes than in letters', 'ü'.repeat(3000), null, 'longer than the 4096 bytes that are kept'],
  ])('%s', (_, value, result, note) => {
    expect(keptResult(value)).toEqual({ result, note });
  });

  test('what goes in circles is told', () => {
    const value: Record<string, unknown> = {};
    value.self = value;
    expect(keptResult(value)).toEqual({ result: null, note: 'JSON cannot hold it' });
  });

  test('no more of a large one is looked at than could be kept', () => {
    let reads = 0;
    const item = {
      get a() {
        reads += 1;
        return 1;
      },
    };
    expect(keptResult(Array(100_000).fill(item)).result).toBeNull();
    expect(reads).toBeLessThan(mostResultBytes);
  });
});

describe('writing', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  function keeperOn(store: ProcessHistory) {
    const logger = recordingLogger();
    const clock = manualClock(startMs);
    const keeper = new HistoryKeeper({ store, keep: { count: 100_000 }, connection: 'main', clock, logger });
    const { entryId: _, finishedAtMs: __, ...end } = endedJob();
    const endMany = (count: number) => {
      for (let one = 0; one < count; one++) keeper.ended({ ...end, jobId: `job-${one}` });
    };
    return { keeper, endMany, logger };
  }

  test('ends are written together: two seconds after the first, or when there are many', async () => {
    const store = new ProcessHistory();
    const adds: number[] = [];
    const add = store.add.bind(store);
    store.add = (ended) => {
      adds.push(ended.length);
      return add(ended);
    };
    const { endMany } = keeperOn(store);
    endMany(30);
    await vi.advanceTimersByTimeAsync(1500);
    endMany(20);
    await vi.advanceTimersByTimeAsync(499);
    expect(adds).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(adds).toEqual([50]);
    endMany(500);
    await vi.advanceTimersByTimeAsync(0);
    expect(adds).toEqual([50, 100, 100, 100, 100, 100]);
    const order = await store.list({ limit: 5 });
    expect(order.map(({ jobId }) => jobId)).toEqual([499, 498, 497, 496, 495].map((one) => `job-${one}`));
  });

  test('while the store is away the newest 10,000 wait, and the log says how many were dropped', async () => {
    const store = new ProcessHistory();
    const add = store.add.bind(store);
    let asked = 0;
    store.add = async () => {
      asked += 1;
      throw storeAway();
    };
    const { endMany, logger } = keeperOn(store);
    endMany(10_250);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toBe(2); // with 500 ends, and two seconds after the first
    store.add = add;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await store.list({ limit: 20_000 })).toHaveLength(10_000);
    expect(logger.lines.map(({ message, fields }) => [message, fields.jobs])).toEqual([
      ['could not write the history; trying again', undefined],
      ['jobs that ended while the store was away are not in its history', 250],
    ]);
  });
});

describe('a store that cannot be written', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('holds up no job, is tried again, and then has each end once', async () => {
    const { queue, driver, ok, logger } = setUp();
    driver.faults.away('history.add');
    await queue.bulk(ok, [1, 2, 3]);
    const working = workOff(queue);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await working).toBe('empty');
    expect(await stored(driver)).toEqual([]);
    driver.faults.back();
    driver.faults.cut('history.add'); // carried out, and its reply lost
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await stored(driver)).map(({ result }) => result)).toEqual(['3', '2', '1']);
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual(['could not write the history; trying again']);
    await queue.close();
  });

  test('for good: one warning with the remedy, and no more tries', async () => {
    const { queue, driver, ok, logger } = setUp();
    const refusal = new QueueError('E_STORE_SCHEMA', 'no table', { fix: 'Run: drover queue:migrate' });
    driver.faults.refuse('history.add', refusal);
    for (let round = 0; round < 3; round++) {
      await queue.push(ok, round);
      const working = workOff(queue);
      await vi.advanceTimersByTimeAsync(5000);
      await working;
    }
    expect(driver.faults.calls('history.add')).toBe(1);
    expect(logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'no history from this process: Run: drover queue:migrate',
    ]);
    await queue.close();
  });
});

describe('queue.list and queue.find', () => {
  test('every state, by queue, name and time, up to a limit', async () => {
    const { queue, clock, ok, fails } = setUp();
    await queue.bulk(ok, [1, 2]);
    await workOff(queue);
    await queue.push(fails);
    await workOff(queue);
    clock.advance(60_000);
    await queue.push(ok, 3, { id: 'ready' });
    await queue.push(fails, null, { id: 'later', delay: '1h' });
    await queue.push(ok, 4, { id: 'elsewhere', queue: 'other' });
    const states = async (options = {}) => (await queue.list(options)).map(({ state }) => state);
    expect(await states()).toEqual(['ready', 'delayed', 'failed', 'done', 'done']);
    expect(await states({ limit: 1 })).toEqual(['ready', 'delayed', 'failed', 'done']);
    expect(await states({ name: 'fails' })).toEqual(['delayed', 'failed']);
    expect(await states({ since: '59s' })).toEqual(['ready', 'delayed']);
    expect(await states({ since: new Date(startMs) })).toHaveLength(5);
    expect(await states({ queue: 'other' })).toEqual(['ready']);
    for (const state of ['ready', 'delayed', 'failed'] as const)
      expect(await states({ state })).toEqual([state]);
    expect(await states({ state: 'running' })).toEqual([]);
    expect(await queue.find('ready')).toMatchObject([{ state: 'ready', earlier: [] }]);
    expect(await queue.find('elsewhere')).toEqual([]);
    expect(await queue.find('elsewhere', { queue: 'other' })).toMatchObject([{ queue: 'other' }]);
    await queue.close();
  });

  test('a running job names its worker', async () => {
    let end = () => {};
    const waits = defineJob({
      name: 'waits',
      handle: () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    });
    const queue = createQueue({ connections: { main: memory({ history: { keep: 5 } }) }, jobs: [waits] });
    const id = await queue.push(waits);
    const working = queue.worker({ once: true, name: 'w1', heartbeat: '100ms' }).run();
    await expect
      .poll(() => queue.list({ state: 'running' }))
      .toMatchObject([{ id, state: 'running', worker: 'w1' }]);
    expect(await queue.list({ state: 'reserved' })).toHaveLength(1);
    expect((await queue.find(id))[0]?.leaseEndsAtMs).toBeGreaterThan(Date.now());
    end();
    await working;
    expect(await queue.find(id)).toMatchObject([{ id, state: 'done', worker: null }]);
    await queue.close();
  });

  test('a job that failed, was retried and was done has one past', async () => {
    const clock = manualClock(startMs);
    let isBroken = true;
    const mends = defineJob({
      name: 'mends',
      tries: 1,
      handle: () => {
        if (isBroken) throw new Error('broken');
      },
    });
    const queue = createQueue({
      connections: { main: memory({ clock, history: { keep: 5 } }) },
      jobs: [mends],
      clock,
    });
    await queue.push(mends, undefined, { id: 'm' });
    for (let round = 0; round < 2; round++) {
      clock.advance(1000);
      await workOff(queue);
      if (round === 0) await queue.failed.retry(await queue.failed.find(['m']));
    }
    const [failed] = await queue.find('m');
    expect(failed).toMatchObject({ state: 'failed', finishedAtMs: startMs + 2000 });
    expect(failed?.earlier).toMatchObject([{ state: 'failed', finishedAtMs: startMs + 1000 }]);
    expect(await queue.find(failed?.uuid ?? '')).toEqual([failed]);
    await queue.failed.retry(await queue.failed.find(['m']));
    expect((await queue.find('m')).map(({ state, earlier }) => [state, earlier.length])).toEqual([
      ['ready', 2],
    ]);
    isBroken = false;
    clock.advance(1000);
    await workOff(queue);
    const found = await queue.find('m');
    expect(found.map(({ state, earlier }) => [state, earlier.map((one) => one.state)])).toEqual([
      ['done', ['failed', 'failed']],
    ]);
    await queue.close();
  });

  test.each([
    [{ stat: 'done' }, 'E_CONFIG'],
    [{ state: 'over' }, 'E_CONFIG'],
    [{ since: 'yesterday' }, 'E_DURATION'],
    [{ since: new Date('x') }, 'E_DURATION'],
    [{ queue: 'a b' }, 'E_QUEUE_NAME'],
    [{ name: 7 }, 'E_CONFIG'],
    [{ limit: 0 }, 'E_CONFIG'],
  ])('options that cannot be are refused: %j', async (options, code) => {
    await expect(setUp().queue.list(options as object)).rejects.toMatchObject({ code });
  });
});

test('a process that only ends jobs is not kept alive by what waits to be written', async () => {
  const { queue, driver, ok } = setUp();
  driver.faults.hold('history.add');
  await queue.push(ok, 1);
  const stopped = workOff(queue);
  await expect(Promise.race([stopped, pause(20_000, 'hangs')])).resolves.toBe('empty');
  await queue.close();
});
