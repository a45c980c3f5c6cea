import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  type Driver,
  defineJob,
  pausedKey,
  type Queue,
  type WorkerOptions,
} from '../../src/index.js';
import { readPauses } from '../../src/pauses.js';
import { deferred, within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { recordingLogger } from '../support/recorder.js';

type Maintenance = () => boolean | Promise<boolean>;

function setUp(handle: (data: unknown) => unknown = () => {}, maintenance?: Maintenance) {
  const driver = faulty(memory());
  const ran: unknown[] = [];
  const job = defineJob({
    name: 'job',
    handle: async ({ data }) => {
      ran.push(data);
      await handle(data);
    },
  });
  const logger = recordingLogger();
  const queue = createQueue({
    connections: { default: driver },
    jobs: [job],
    logger,
    ...(maintenance && { maintenance }),
  });
  return { driver, job, queue, ran, logger };
}

/** A running worker, how to stop it, and the next change of what keeps it from jobs. */
function start(queue: Queue, options: WorkerOptions = {}) {
  const stop = new AbortController();
  const worker = queue.worker({ sleep: '1h', ...options });
  const running = worker.run(stop.signal);
  const halted = () =>
    within(
      new Promise<unknown>((resolve) => {
        const off = worker.onHalt((halt) => {
          off();
          resolve(halt);
        });
      }),
      'the change of what is halted',
    );
  const end = () => {
    stop.abort();
    return running;
  };
  return { worker, halted, end };
}

describe('what is paused', () => {
  test('is one queue, several, or the connection, each lifted by itself', async () => {
    const { queue } = setUp();
    const named = async () => (await queue.paused()).queues.map((paused) => paused.queue);
    expect(await queue.paused()).toEqual({ allSinceMs: null, queues: [] });
    await queue.pause('mail');
    await queue.pause('__proto__');
    expect(await named()).toEqual(['__proto__', 'mail']);
    const { allSinceMs } = await queue.pause();
    expect(allSinceMs).toBeGreaterThan(1_700_000_000_000);
    expect(await queue.pause()).toMatchObject({ allSinceMs });
    expect(await queue.resume('mail')).toMatchObject({ allSinceMs, queues: [{ queue: '__proto__' }] });
    expect(await queue.resume()).toMatchObject({ allSinceMs: null, queues: [{ queue: '__proto__' }] });
    expect(await queue.resume('other')).toMatchObject({ queues: [{ queue: '__proto__' }] });
    expect(await queue.resume('__proto__')).toEqual({ allSinceMs: null, queues: [] });
    await expect(queue.pause('a b')).rejects.toMatchObject({ code: 'E_QUEUE_NAME' });
  });

  test('is not undone by who pauses another queue at the same moment', async () => {
    const { queue } = setUp();
    const names = Array.from({ length: 20 }, (_, index) => `q${index}`);
    await Promise.all(names.map((name) => queue.pause(name)));
    expect((await queue.paused()).queues.map((paused) => paused.queue)).toEqual(names.sort());
    await Promise.all(names.map((name) => queue.resume(name)));
    expect((await queue.paused()).queues).toEqual([]);
  });

  test.each([null, '', 'rubbish', '7', 'null', '{}', '{"allSinceMs":"x","queues":[null,{"queue":7}]}'])(
    'a value that is not of ours (%s) pauses nothing',
    (text) => {
      expect(readPauses(text)).toEqual({ allSinceMs: null, queues: [] });
    },
  );

  test('a store without signals pauses nothing and says so', async () => {
    const queue = createQueue({ connections: { default: faulty(memory(), ['signals']) } });
    await expect(queue.pause()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    await expect(queue.resume('q')).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    expect(await queue.paused()).toEqual({ allSinceMs: null, queues: [] });
  });
});

// Workers look once a second: these wait for each other.
describe.concurrent('a running worker', () => {
  test('takes from the other queues, and from a paused one again after its end', async () => {
    const ranSecond = deferred();
    const it = setUp((data) => data === 'second' && ranSecond.resolve());
    await it.queue.pause('mail');
    await it.queue.push(it.job, 'first', { queue: 'mail' });
    await it.queue.push(it.job, 'second', { queue: 'default' });
    const { end, halted, worker } = start(it.queue, { queues: ['mail', 'default'] });
    await within(ranSecond.promise, 'the job of the open queue');
    expect(worker.halt).toEqual({ paused: ['mail'], maintenance: false });
    expect(it.ran).toEqual(['second']);
    const resumed = halted();
    await it.queue.resume('mail');
    expect(await resumed).toEqual({ paused: [], maintenance: false });
    while (it.ran.length < 2) await new Promise(setImmediate);
    expect(await end()).toBe('signal');
  });

  test('gives back at once what it holds, and runs none of it', async () => {
    const base = memory();
    const told = new Map<string, (value: string | null) => void>();
    const driver: Driver = {
      ...base,
      connect(context) {
        const connector = base.connect(context);
        const watch = (key: string, tell: (value: string | null) => void) => {
          told.set(key, tell);
          return () => told.delete(key);
        };
        return Object.assign(connector, { signals: { ...connector.signals, watch } });
      },
    };
    const ran: number[] = [];
    const job = defineJob({
      name: 'job',
      handle: ({ data }: { readonly data: number }) => {
        ran.push(data);
        // While it runs others are held, and would run as soon as it ends.
        if (data === 50) told.get(pausedKey)?.('{"allSinceMs":1,"queues":[]}');
      },
    });
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    const all = Array.from({ length: 250 }, (_, index) => index);
    await queue.bulk(job, all);
    const { end, worker } = start(queue, { prefetch: 100 });
    const given = async () => {
      while (worker.halt.paused.length === 0 || (await queue.size()).reserved > 0)
        await new Promise(setImmediate);
    };
    await within(given(), 'the give-back');
    expect(ran).toEqual(all.slice(0, 51));
    expect(await queue.size()).toEqual({ ready: 199, delayed: 0, reserved: 0 });
    expect(await end()).toBe('signal');
    const attempts: number[] = [];
    queue.events.on('job:done', (event) => attempts.push(event.attempts));
    expect(await queue.worker({ stopWhenEmpty: true, sleep: '1ms' }).run()).toBe('empty');
    expect(ran).toEqual(all);
    expect(new Set(attempts)).toEqual(new Set([1]));
  });

  test('gives back what a reserve brings that was under way as the pause came', async () => {
    const it = setUp();
    await it.queue.push(it.job, 1);
    const reserve = it.driver.faults.hold('reserve');
    const { end, halted } = start(it.queue);
    await reserve.reached;
    const change = halted();
    await it.queue.pause('default');
    await change;
    reserve.letGo();
    await within(it.driver.faults.called('unreserve'), 'the give-back');
    expect(it.ran).toEqual([]);
    expect(await end()).toBe('signal');
    expect(await it.queue.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('knows of a pause before its first reserve, also after a restart of all workers', async () => {
    const it = setUp();
    await it.queue.pause();
    await it.queue.push(it.job, 1);
    const { end, worker } = start(it.queue);
    await it.driver.faults.called('signals.read paused', 2);
    expect(worker.halt.paused).toEqual(['default']);
    expect(it.driver.faults.calls('reserve')).toBe(0);
    expect(await end()).toBe('signal');
  });

  test('takes a pause that cannot be read for none, says so, and heeds it when it can be', async () => {
    const it = setUp();
    await it.queue.pause();
    it.driver.faults.refuse('signals.read paused');
    const { end, halted } = start(it.queue);
    expect(await halted()).toEqual({ paused: ['default'], maintenance: false });
    expect(await end()).toBe('signal');
    expect(it.logger.lines.map(({ message }) => message)).toEqual(['could not read what is paused']);
  });
});

describe('a worker that does not wait', () => {
  test.each([{ once: true }, { stopWhenEmpty: true }])(
    '%o stops as if a paused queue were empty',
    async (mode) => {
      const it = setUp();
      await it.queue.pause('default');
      await it.queue.push(it.job, 1);
      const worker = it.queue.worker(mode);
      expect(await within(worker.run(), 'the stop')).toBe('empty');
      expect(worker.halt.paused).toEqual(['default']);
      expect(it.ran).toEqual([]);
    },
  );

  test('works off the queues that are open', async () => {
    const it = setUp();
    await it.queue.pause('mail');
    await it.queue.push(it.job, 1, { queue: 'mail' });
    await it.queue.push(it.job, 2);
    const options = { stopWhenEmpty: true, queues: ['mail', 'default'], sleep: '1ms' } as const;
    expect(await within(it.queue.worker(options).run(), 'the stop')).toBe('empty');
    expect(it.ran).toEqual([2]);
  });
});

describe('maintenance', () => {
  test('keeps a worker from all jobs while it lasts, and is asked again', async () => {
    let isOn = true;
    const it = setUp(undefined, () => isOn);
    await it.queue.push(it.job, 1);
    const { end, halted, worker } = start(it.queue);
    const changes = [await halted()];
    expect(it.ran).toEqual([]);
    isOn = false;
    changes.push(await halted());
    expect(changes).toEqual([
      { paused: [], maintenance: true },
      { paused: [], maintenance: false },
    ]);
    while (it.ran.length < 1) await new Promise(setImmediate);
    expect(await end()).toBe('signal');
    expect(worker.halt.maintenance).toBe(false);
  });

  test('is nothing to a worker with force, whom a pause still stops', async () => {
    const it = setUp(undefined, () => true);
    await it.queue.push(it.job, 1);
    expect(await it.queue.worker({ once: true }).run()).toBe('empty');
    expect(await it.queue.worker({ once: true, force: true }).run()).toBe('once');
    await it.queue.push(it.job, 2);
    await it.queue.pause();
    expect(await it.queue.worker({ once: true, force: true }).run()).toBe('empty');
    expect(it.ran).toEqual([1]);
  });

  test('that throws or never answers stops no work', async () => {
    const it = setUp(undefined, () => Promise.reject(new Error('no answer')));
    await it.queue.push(it.job, 1);
    expect(await it.queue.worker({ once: true }).run()).toBe('once');
    expect(it.logger.lines.map(({ message }) => message)).toEqual([
      'could not ask whether the application is in maintenance',
    ]);
    const silent = setUp(undefined, () => new Promise<boolean>(() => {}));
    await silent.queue.push(silent.job, 1);
    expect(await within(silent.queue.worker({ once: true }).run(), 'the end')).toBe('once');
  });
});

test('the key of what is paused is not that of another program', () => {
  expect(pausedKey).toBe('{drover}:paused');
});
