import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { type BusyEvent, createQueue, defineJob } from '../../src/index.js';
import { manualClock } from '../support/manual-clock.js';

const job = defineJob({ name: 'job', handle() {} });

function setUp() {
  const queue = createQueue({
    connections: { main: memory({ queue: 'own', clock: manualClock() }) },
    jobs: [job],
  });
  const busy: BusyEvent[] = [];
  queue.events.on('queue:busy', (event) => busy.push(event));
  return { queue, busy };
}

test('counts the own queue or those named, and tells of each that has too many', async () => {
  const { queue, busy } = setUp();
  await queue.bulk(job, [1, 2, 3]);
  await queue.bulk(job, [1, 2], { queue: 'mail' });
  expect(await queue.monitor({ max: 3 })).toEqual([
    { connection: 'main', queue: 'own', ready: 3, delayed: 0, reserved: 0, longestWaitMs: 0, busy: false },
  ]);
  expect(busy).toEqual([]);
  const readings = await queue.monitor({ queues: ['mail', 'own'], max: 2 });
  expect(readings.map((reading) => reading.busy)).toEqual([false, true]);
  expect(busy).toEqual([
    {
      event: 'queue:busy',
      connection: 'main',
      queue: 'own',
      ready: 3,
      delayed: 0,
      reserved: 0,
      longestWaitMs: 0,
      max: 2,
    },
  ]);
});

test('delayed and reserved jobs do not make a queue busy', async () => {
  const { queue, busy } = setUp();
  await queue.bulk(job, [1, 2], { delay: '1h' });
  expect(await queue.monitor({ max: 0 })).toMatchObject([{ delayed: 2, busy: false }]);
  expect(busy).toEqual([]);
});

test.each([
  [{ max: -1 }, 'E_CONFIG'],
  [{ max: Number.NaN }, 'E_CONFIG'],
  [{ max: 1, queues: ['a b'] }, 'E_QUEUE_NAME'],
])('%j is refused', async (options, code) => {
  await expect(setUp().queue.monitor(options)).rejects.toMatchObject({ code });
});
