import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type WorkerOptions } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

/** A store with a worker from before a deploy, which knows no job, and one from after it. */
function setUp(worker: WorkerOptions = {}, without: Parameters<typeof faulty>[1] = []) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }), without);
  const attempts: number[] = [];
  const fresh = defineJob({ name: 'fresh', tries: 2, handle: ({ job }) => attempts.push(job.attempts()) });
  const old = createQueue({ connections: { default: driver }, clock, worker });
  const current = createQueue({ connections: { default: driver }, clock, jobs: [fresh], worker });
  return { clock, driver, old, current, attempts, events: recordEvents(old) };
}

/** Works off what is due, then lets time pass until the next is. */
async function goOn({ old, clock, events }: ReturnType<typeof setUp>): Promise<void> {
  await workOff(old);
  const last = events.at(-1);
  if (last?.event === 'job:released') clock.advance(last.delayMs);
}

describe('a job that a worker does not know', () => {
  test('is put off unspent, ever longer, and run by one that does with all its tries', async () => {
    const set = setUp();
    await set.old.push('fresh');
    const startMs = set.clock.now();
    while (set.clock.now() - startMs < 540_000) await goOn(set);
    const waits = set.events.map((event) => (event.event === 'job:released' ? event.delayMs : -1));
    expect(waits.length).toBeGreaterThan(10);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(800);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(36_000);
    expect(waits[0]).toBeLessThanOrEqual(1200);
    expect(set.events.map((event) => event.attempts)).toEqual(waits.map(() => 1));
    expect(set.events[0]).toMatchObject({ error: { code: 'E_JOB_UNKNOWN' } });
    await workOff(set.current);
    expect(set.attempts).toEqual([1]);
    expect(await set.old.failed.list()).toEqual([]);
  });

  test('fails when patience and tries are at an end, counted from when it was due', async () => {
    const set = setUp({ tries: 2, backoff: '5s', unknownJobPatience: '1m' });
    await set.old.push('fresh', null, { delay: '1h' });
    set.clock.advance(3_600_000);
    const dueMs = set.clock.now();
    while ((await set.old.failed.list()).length === 0) await goOn(set);
    expect(set.clock.now() - dueMs).toBe(65_000);
    expect(namesOf(set.events.slice(-2))).toEqual(['job:released', 'job:failed']);
    expect(await set.old.failed.list()).toMatchObject([
      { reason: 'unknown-job', name: 'fresh', attempts: 2, errorCode: 'E_JOB_UNKNOWN' },
    ]);
  });

  test('does not stand in the way of others', async () => {
    const set = setUp();
    for (let time = 0; time < 20; time++) await set.current.push('unheard-of');
    await set.current.push('fresh');
    await workOff(set.current);
    expect(set.attempts).toEqual([1]);
    expect(await set.current.size()).toEqual({ ready: 0, delayed: 20, reserved: 0 });
  });

  test.each([
    ['on a store that cannot postpone', ['postpone'] as const, undefined],
    [
      'whose payload tells of a far future',
      [],
      '{"job":"fresh","data":1,"dueAt":9999999999999,"id":"x","attempts":0}',
    ],
    ['whose payload tells no time, as those of PHP', [], '{"job":"fresh","data":1,"id":"x","attempts":0}'],
  ])('%s, is tried as often as any other', async (_, without, body) => {
    const set = setUp({ tries: 2, backoff: '5s' }, without);
    if (body) await set.driver.store.push('default', [{ id: 'x', body }]);
    else await set.old.push('fresh');
    await goOn(set);
    await goOn(set);
    expect(namesOf(set.events)).toEqual(['job:released', 'job:failed']);
    expect(await set.old.failed.list()).toMatchObject([{ reason: 'unknown-job', attempts: 2 }]);
  });

  test('does not go round for ever where tries set no limit', async () => {
    const set = setUp({ tries: 0, backoff: '1s', unknownJobPatience: 0 });
    await set.old.push('fresh', null, { tries: 0 });
    for (let time = 0; time < 10; time++) await goOn(set);
    expect(await set.old.failed.list()).toMatchObject([{ reason: 'unknown-job', attempts: 10 }]);
  });

  test('rejects at once where the push runs it', async () => {
    const { sync } = await import('../../drivers/sync/index.js');
    const queue = createQueue({ connections: { default: sync() } });
    await expect(queue.push('fresh')).rejects.toMatchObject({ code: 'E_JOB_UNKNOWN' });
  });
});
