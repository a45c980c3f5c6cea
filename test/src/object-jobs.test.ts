import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob, type Queue, type QueueConfig } from '../../src/index.js';
import { Sightings } from '../../src/sightings.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents } from '../support/recorder.js';

const handler = 'think\\queue\\CallQueuedHandler@call';

function objectJob(commandName: unknown, job = handler): string {
  const data = { commandName, command: 'O:8:"app\\Mail":0:{}' };
  return JSON.stringify({ job, maxTries: 2, data, id: 'x', attempts: 0 });
}

function setUp(config: Partial<QueueConfig> = {}, without: Parameters<typeof faulty>[1] = []) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }), without);
  const queue = createQueue({ connections: { default: driver }, clock, ...config });
  const events = recordEvents(queue);
  const store = (body: string) => driver.store.push('default', [{ id: 'x', body }]);
  return { clock, driver, queue, events, store };
}

/** Runs one worker, for which time flies while a job waits, until `enough` says so of an event. */
async function workUntil({ clock, queue }: ReturnType<typeof setUp>, enough: (event: string) => boolean) {
  const stop = new AbortController();
  const offs = [
    queue.events.on('job:*', ({ event }) => enough(event) && stop.abort()),
    queue.events.on('job:released', ({ delayMs }) => clock.advance(delayMs)),
  ];
  await queue.worker({ sleep: '1ms' }).run(stop.signal);
  for (const off of offs) off();
}

async function retryAll(queue: Queue): Promise<void> {
  for await (const { outcome } of queue.failed.retryAll()) expect(outcome).toBe('retried');
}

describe('an object job of PHP', () => {
  test('is put off unspent from when it was first seen, for as long as unknown jobs are, then given up', async () => {
    const set = setUp();
    const { clock, queue, events } = set;
    const body = objectJob('app\\Mail');
    await set.store(body);
    clock.advance(3_600_000); // it waited for workers of PHP, and none of ours saw it
    const startMs = clock.now();
    await workUntil(set, (event) => event === 'job:failed');
    const tookMs = clock.now() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(600_000);
    expect(tookMs).toBeLessThan(640_000);
    const waits = events.flatMap((event) => (event.event === 'job:released' ? [event.delayMs] : []));
    expect(waits.length).toBeGreaterThan(15);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(800);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(36_000);
    expect(new Set(events.map(({ attempts }) => attempts))).toEqual(new Set([1]));
    expect(events[0]).toMatchObject({ name: 'app\\Mail', error: { code: 'E_JOB_UNKNOWN' } });
    expect(namesOf(events)).not.toContain('job:started');
    expect(await queue.failed.list()).toMatchObject([
      {
        reason: 'unknown-job',
        name: 'app\\Mail',
        attempts: 1,
        message: 'app\\Mail is an object of PHP: only a worker of PHP can run it',
        payload: body,
      },
    ]);
  });

  test('that was retried gets the time again', async () => {
    const set = setUp({ worker: { unknownJobPatience: '10s' } });
    await set.store(objectJob('app\\Mail'));
    let fails = 0;
    await workUntil(set, (event) => {
      if (event === 'job:failed' && fails++ === 0) void retryAll(set.queue);
      return fails === 2;
    });
    const first = namesOf(set.events).indexOf('job:failed');
    expect(namesOf(set.events).slice(first + 1, first + 3)).toEqual(['job:released', 'job:released']);
  });

  test('is given up at once where there is no patience', async () => {
    const set = setUp({ worker: { unknownJobPatience: 0 } });
    await set.store(objectJob('app\\Mail'));
    await workUntil(set, () => true);
    expect(namesOf(set.events)).toEqual(['job:failed']);
  });

  test('stays for good where failed jobs are deleted', async () => {
    const set = setUp({ failed: 'none', worker: { unknownJobPatience: '10s' } });
    await set.store(objectJob('app\\Mail'));
    let seen = 0;
    await workUntil(set, () => ++seen === 40);
    expect(new Set(namesOf(set.events))).toEqual(new Set(['job:released']));
    const { ready, delayed } = await set.queue.size();
    expect(ready + delayed).toBe(1);
  });

  test('spends attempts where the store cannot help it', async () => {
    const set = setUp({}, ['postpone']);
    await set.store(objectJob('app\\Mail'));
    let seen = 0;
    await workUntil(set, () => ++seen === 4);
    expect(set.events.map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4]);
  });

  test.each([
    ['app\\Mail', 'app\\Mail'],
    [undefined, handler],
    ['\u001b[31m', handler],
    [{ a: 1 }, handler],
    ['x'.repeat(191), handler],
  ])('of the class %j is shown as %s', async (commandName, name) => {
    const { queue, store } = setUp();
    await store(objectJob(commandName));
    expect(await queue.list()).toMatchObject([{ name, state: 'ready' }]);
    expect(await queue.list({ name })).toHaveLength(1);
  });

  test('without data is shown by the name of its handler', async () => {
    const { queue, driver } = setUp();
    await driver.store.push('default', [{ id: 'x', body: `{"job":${JSON.stringify(handler)},"data":null}` }]);
    expect(await queue.list()).toMatchObject([{ name: handler }]);
  });
});

const names = [
  handler,
  'Illuminate\\Queue\\CallQueuedHandler@call',
  '\\illuminate\\queue\\callqueuedhandler@call',
  'think\\queue\\CallQueuedHandler',
];

describe.each(names)('%s', (name) => {
  const error = expect.objectContaining({ code: 'E_JOB_NAME', fix: expect.stringContaining('plain data') });

  test('is not pushed', async () => {
    const queue = createQueue({ connections: { default: memory(), inline: sync() } });
    await expect(queue.push(name, { commandName: 'app\\Mail' })).rejects.toEqual(error);
    await expect(queue.pushMany([['other'], [name]])).rejects.toEqual(error);
    await expect(queue.push(name, null, { connection: 'inline' })).rejects.toEqual(error);
    expect(await queue.size()).toMatchObject({ ready: 0 });
  });

  test('is no job’s name', () => {
    const jobName = name.replace(/^\\|@.*/g, '');
    const make = () =>
      createQueue({
        connections: { default: memory() },
        jobs: [defineJob({ name: jobName, handle: () => {} })],
      });
    expect(make).toThrow(error);
  });

  test('is not run, whatever the rule for names says', async () => {
    let ran = 0;
    const known = defineJob({ name: 'known', handle: () => void ran++ });
    const set = setUp({ jobs: [known], names: () => 'known', worker: { unknownJobPatience: 0 } });
    await set.store(objectJob('app\\Mail', name));
    await workUntil(set, () => true);
    expect(namesOf(set.events)).toEqual(['job:failed']);
    expect(ran).toBe(0);
  });
});

describe('sightings', () => {
  test('know how long ago a job was first seen, of each queue apart', () => {
    const sightings = new Sightings();
    expect(sightings.sinceFirstMs('a', 'x', 1000, 500)).toBe(0);
    expect(sightings.sinceFirstMs('b', 'x', 1400, 500)).toBe(0);
    expect(sightings.sinceFirstMs('a', 'x', 1400, 500)).toBe(400);
    expect(sightings.sinceFirstMs('a', 'x', 1900, 500)).toBe(900);
    expect(sightings.sinceFirstMs('a', 'x', 2401, 500)).toBe(0);
    sightings.forget('a', 'x');
    expect(sightings.sinceFirstMs('a', 'x', 2500, 500)).toBe(0);
  });

  test('keep the jobs that they know while they are full', () => {
    const sightings = new Sightings();
    for (let id = 0; id <= 10_000; id++) sightings.sinceFirstMs('q', String(id), 0, 1e6);
    expect(sightings.sinceFirstMs('q', '0', 10, 1e6)).toBe(10);
    expect(sightings.sinceFirstMs('q', '9999', 10, 1e6)).toBe(10);
    expect(sightings.sinceFirstMs('q', '10000', 10, 1e6)).toBe(0);
    sightings.forget('q', '0');
    sightings.sinceFirstMs('q', '10000', 20, 1e6);
    expect(sightings.sinceFirstMs('q', '10000', 30, 1e6)).toBe(10);
  });
});
