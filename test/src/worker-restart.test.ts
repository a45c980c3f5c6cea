import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, restartKey } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty, storeAway, storeCorrupt } from '../support/faulty-driver.js';
import { recordingLogger } from '../support/recorder.js';

function setUp(handle: () => unknown = () => {}, without: 'signals'[] = []) {
  const driver = faulty(memory(), without);
  const job = defineJob({ name: 'job', handle });
  const logger = recordingLogger();
  const queue = createQueue({ connections: { default: driver }, jobs: [job], logger });
  return { driver, job, queue, logger, stop: new AbortController() };
}

/** A running worker that has read the signal once. */
async function daemon({ queue, driver, stop }: ReturnType<typeof setUp>) {
  const idle = driver.faults.called('waitForJob');
  const run = queue.worker({ sleep: '1h' }).run(stop.signal);
  await idle;
  return run;
}

// Workers look for the signal once a second: these wait for each other.
describe.concurrent('a running worker', () => {
  test('stops when a restart is asked for', async () => {
    const it = setUp();
    const run = daemon(it);
    await it.driver.faults.called('waitForJob');
    await it.queue.restartWorkers();
    expect(await within(run, 'the stop')).toBe('restart');
  });

  test('lets its job end first, and takes no other', async () => {
    const started = deferred();
    const goOn = deferred();
    let ended = 0;
    const it = setUp(async () => {
      started.resolve();
      await goOn.promise;
      ended += 1;
    });
    await it.queue.bulk(it.job, [1, 2]);
    const run = it.queue.worker().run();
    await started.promise;
    await it.queue.restartWorkers();
    await it.driver.faults.called('signals.read', 2);
    goOn.resolve();
    expect(await within(run, 'the stop')).toBe('restart');
    expect(ended).toBe(1);
    expect(await it.queue.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('does not react to a signal from before its start', async () => {
    const it = setUp();
    await it.queue.restartWorkers();
    const run = it.queue.worker().run(it.stop.signal);
    await it.driver.faults.called('signals.read', 3);
    it.stop.abort();
    expect(await run).toBe('signal');
  });

  test('reacts to a second signal within the same second', async () => {
    const it = setUp();
    await it.queue.restartWorkers();
    const run = it.queue.worker({ sleep: '1h' }).run();
    await it.driver.faults.called('signals.read');
    await it.queue.restartWorkers();
    expect(await within(run, 'the stop')).toBe('restart');
  });

  test('takes a signal that vanished for none', async () => {
    const it = setUp();
    await it.queue.restartWorkers();
    it.driver.faults.next('signals.read', (call) => call());
    for (let look = 0; look < 10; look++) it.driver.faults.next('signals.read', async () => null);
    const run = it.queue.worker().run(it.stop.signal);
    await it.driver.faults.called('signals.read', 3);
    it.stop.abort();
    expect(await run).toBe('signal');
  });

  test('works on, and says so, while the signal cannot be read, and reacts when it can be', async () => {
    const it = setUp();
    it.driver.faults.next('signals.read', (call) => call());
    it.driver.faults.refuse('signals.read', storeAway());
    const run = it.queue.worker({ sleep: '1h' }).run();
    await it.driver.faults.called('signals.read', 2);
    await it.queue.restartWorkers();
    expect(await within(run, 'the stop')).toBe('restart');
    expect(it.logger.lines.map((line) => line.message)).toEqual(['could not read the restart signal']);
  });

  test('asks for it again only when it was answered', async () => {
    const it = setUp();
    it.driver.faults.next('signals.read', (call) => call());
    const hanging = it.driver.faults.hold('signals.read');
    const run = it.queue.worker().run(it.stop.signal);
    await hanging.reached;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(it.driver.faults.calls('signals.read')).toBe(2);
    hanging.letGo();
    it.stop.abort();
    expect(await run).toBe('signal');
  });

  test('that could not read the signal at its start takes the first that it reads as from before', async () => {
    const it = setUp();
    await it.queue.restartWorkers();
    it.driver.faults.refuse('signals.read', storeCorrupt());
    const run = it.queue.worker().run(it.stop.signal);
    await it.driver.faults.called('signals.read', 4);
    it.stop.abort();
    expect(await run).toBe('signal');
  });
});

test('a worker for one job looks for no signal', async () => {
  const { queue, driver, job } = setUp();
  await queue.push(job);
  expect(await queue.worker({ once: true }).run()).toBe('once');
  expect(driver.faults.calls('signals.read')).toBe(0);
});

test('a store without signals is worked as any other', async () => {
  const { queue, job } = setUp(undefined, ['signals']);
  await queue.push(job);
  expect(await queue.worker({ stopWhenEmpty: true }).run()).toBe('empty');
  await expect(queue.restartWorkers()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
});

test("the signal stands under think-queue's key, as seconds", async () => {
  const { queue, driver } = setUp();
  await queue.restartWorkers();
  expect(restartKey).toBe('think:queue:restart');
  expect(await driver.store.signals?.read('think:queue:restart')).toMatch(/^\d{10}$/);
});
