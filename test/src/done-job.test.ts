import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { DoneJob } from '../../src/done-job.js';
import { HeldJob } from '../../src/held-job.js';
import { createQueue, defineJob } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';

test('what was reserved of a job that is done, and its data, can be collected while it is being deleted', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const driver = faulty(memory());
  const seen: WeakRef<object>[] = [];
  driver.faults.next('reserve', async (call) => {
    const jobs = (await call()) as object[];
    seen.push(...jobs.map((one) => new WeakRef(one)));
    return jobs;
  });
  const job = defineJob<{ text: string }>({
    name: 'job',
    handle: ({ data }) => {
      seen.push(new WeakRef(data));
    },
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  let left: (object | undefined)[] = [];
  driver.faults.next('delete', async (call) => {
    await nextTurn(); // what was made in a turn lives as long
    collect();
    left = seen.map((one) => one.deref());
    return call();
  });
  await queue.push(job, { text: 'data' });
  await queue.worker({ once: true }).run();
  expect(seen).toHaveLength(2);
  expect(left).toEqual([undefined, undefined]);
});

test('a job that is being deleted keeps what tells of it, and nothing else that was reserved', () => {
  const told = { id: 'id', queue: 'mail', attempts: 2, lease: { queue: 'mail', token: 'token', handle: 1 } };
  const held = new HeldJob({ ...told, body: 'body' }, 0);
  new DoneJob(held, {} as never, {}, () => {}, undefined);
  expect(held).toMatchObject(told);
  expect(() => held.reserved).toThrow('no more is known');
});
