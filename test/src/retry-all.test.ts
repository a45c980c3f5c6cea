import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Queue, type Retried } from '../../src/index.js';

const broken = defineJob({ name: 'broken', handle: () => Promise.reject(new Error('as always')) });

async function failAll(queue: Queue): Promise<void> {
  await queue.worker({ stopWhenEmpty: true, concurrency: 50, tries: 1 }).run();
}

async function failedQueue(count: number): Promise<Queue> {
  const queue = createQueue({ connections: { main: memory() }, jobs: [broken], failed: 'same' });
  await queue.pushMany(Array.from({ length: count }, (_, index) => [broken, null, { id: `job-${index}` }]));
  await failAll(queue);
  return queue;
}

test('every record once, over several batches, also when retried jobs fail again meanwhile', async () => {
  const queue = await failedQueue(1200);
  const retried: Retried[] = [];
  for await (const one of queue.failed.retryAll()) {
    if (retried.push(one) % 500 === 0) await failAll(queue); // those of the batch come back as new records
  }
  expect(retried.every((one) => one.outcome === 'retried')).toBe(true);
  expect(new Set(retried.map((one) => one.job.jobId)).size).toBe(1200);
  expect(retried).toHaveLength(1200);
  await queue.close();
});

test('records that stay are passed over', async () => {
  const queue = await failedQueue(700);
  for (let index = 0; index < 700; index += 2) await queue.push(broken, null, { id: `job-${index}` });
  const outcomes = { retried: 0, 'already-there': 0, 'not-found': 0 };
  for await (const { outcome } of queue.failed.retryAll()) outcomes[outcome] += 1;
  expect(outcomes).toEqual({ retried: 350, 'already-there': 350, 'not-found': 0 });
  expect(await queue.failed.list({ limit: 1000 })).toHaveLength(350);
  await queue.close();
});

test('records that others remove meanwhile hide none', async () => {
  const queue = await failedQueue(600);
  const newest = await queue.failed.list({ limit: 500 });
  await queue.pushMany(newest.map(({ jobId }) => [broken, null, { id: jobId }]));
  let retried = 0;
  for await (const { outcome } of queue.failed.retryAll()) {
    if (retried === 0) await queue.failed.forget(newest.slice(0, 300).map(({ uuid }) => uuid));
    retried += outcome === 'retried' ? 1 : 0;
  }
  expect(retried).toBe(100);
  await queue.close();
});
