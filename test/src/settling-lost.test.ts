import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { namesOf, recordEvents, workOff } from '../support/recorder.js';

test("a delete that the store never saw, and whose lease is another worker's by then, is told as lost", async () => {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const job = defineJob({ name: 'job', handle() {} });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  const events = recordEvents(queue);
  driver.faults.next('delete', async () => {
    clock.advance(90_000);
    await driver.store.reserve(['default'], 1, 90_000);
    throw storeAway();
  });
  await queue.push(job);
  await queue.worker({ once: true }).run();
  expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 1 });
});

test('a record in another store goes again when the lease was lost between record and delete', async () => {
  const clock = manualClock();
  const jobs = faulty(memory({ clock }));
  const job = defineJob({
    name: 'job',
    tries: 1,
    handle() {
      throw new Error('boom');
    },
  });
  const queue = createQueue({
    connections: { jobs, records: memory() },
    default: 'jobs',
    failed: { connection: 'records' },
    jobs: [job],
  });
  const events = recordEvents(queue);
  jobs.faults.next('delete', async (call) => {
    clock.advance(90_000);
    await jobs.store.reserve(['default'], 1, 90_000);
    return call();
  });
  await queue.push(job);
  await workOff(queue);
  expect(namesOf(events)).toEqual(['job:started', 'job:lost']);
  expect(await queue.failed.list()).toEqual([]);
});
