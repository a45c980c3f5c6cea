import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
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
