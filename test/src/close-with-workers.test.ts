import { expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { SqliteSandbox } from '../support/sqlite.js';

async function setUp(job: ReturnType<typeof defineJob>, worker: object = {}) {
  const sandbox = new SqliteSandbox();
  const file = sandbox.newFile();
  const open = () => createQueue({ connections: { default: database(`sqlite:${file}`) }, jobs: [job] });
  const queue = open();
  const seen: string[] = [];
  for (const event of ['job:done', 'job:given-back', 'job:unsettled'] as const) {
    queue.events.on(event, () => seen.push(event));
  }
  const started = new Promise((resolve) => queue.events.on('job:started', resolve));
  await queue.push(job);
  return { queue, open, seen, started, worker: queue.worker(worker), sandbox };
}

test('a queue that is closed lets its workers end first, and what their jobs push is stored', async () => {
  let letEnd = () => {};
  const held = new Promise<void>((resolve) => {
    letEnd = resolve;
  });
  const job = defineJob({
    name: 'slow',
    async handle() {
      await held;
      await queue.push('later', null, { queue: 'other' });
    },
  });
  const { queue, open, seen, started, worker, sandbox } = await setUp(job);
  const run = worker.run();
  await started;
  let isClosed = false;
  const closing = queue.close().then(() => {
    isClosed = true;
  });
  await expect.poll(() => worker.isStopping).toBe(true);
  expect(isClosed).toBe(false);
  expect(await queue.worker().run()).toBe('signal'); // one that comes too late
  letEnd();
  expect(await run).toBe('signal');
  await closing;
  expect(seen).toEqual(['job:done']);
  await expect(queue.push(job)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
  const next = open();
  expect(await next.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  expect((await next.size('other')).ready).toBe(1);
  await next.close();
  await sandbox.clean();
});

test('a job that waits for the queue to close is given back after its time, and nothing waits for ever', async () => {
  const job = defineJob({ name: 'closes', handle: () => queue.close() });
  const limits = { shutdownTimeout: '50ms', grace: '20ms' };
  const { queue, open, seen, worker, sandbox } = await setUp(job, limits);
  expect(await worker.run()).toBe('signal');
  await queue.close();
  expect(seen).toEqual(['job:given-back']);
  const next = open();
  expect((await next.size()).ready).toBe(1);
  await next.close();
  await sandbox.clean();
});
