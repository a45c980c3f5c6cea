import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { DoneJob } from '../../src/done-job.js';
import { HeldJob } from '../../src/held-job.js';
import { createQueue, defineJob } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';

test('the data of a job that is done can be collected while the job is being deleted', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const driver = faulty(memory());
  const seen: WeakRef<object>[] = [];
  const job = defineJob<{ text: string }>({
    name: 'job',
    handle: ({ data }) => {
      seen.push(new WeakRef(data));
    },
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  let left: object | undefined;
  driver.faults.next('delete', async (call) => {
    await nextTurn(); // what was made in a turn lives as long
    collect();
    left = seen[0]?.deref();
    return call();
  });
  await queue.push(job, { text: 'data' });
  await queue.worker({ once: true }).run();
  expect(seen).toHaveLength(1);
  expect(left).toBeUndefined();
});

test('a long body is let go of while the job is being deleted, and all that tells of the job stays', () => {
  const lease = { queue: 'mail', token: 'token', handle: 1 };
  const reserved = { id: 'id', queue: 'mail', attempts: 2, exceptions: 1, lease };
  const left = ['short', 'x'.repeat(20_000)].map((body) => {
    const held = new HeldJob({ ...reserved, body }, 0);
    new DoneJob(held, {} as never, {}, () => {}, undefined);
    return held.reserved;
  });
  expect(left).toEqual([
    { ...reserved, body: 'short' },
    { ...reserved, body: '' },
  ]);
});
