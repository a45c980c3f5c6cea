import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, QueueError } from '../../src/index.js';
import { faulty, storeAway } from '../support/faulty-driver.js';

function setUp() {
  const driver = faulty(memory());
  return { driver, queue: createQueue({ connections: { default: driver } }) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

async function storedData(driver: ReturnType<typeof setUp>['driver']): Promise<unknown[]> {
  const jobs = await driver.store.reserve(['default'], 1000, 1000);
  return jobs.map(({ body }) => JSON.parse(body).data);
}

test('pushes that do not wait for each other share a call, in their order, and each answers its own id', async () => {
  const { driver, queue } = setUp();
  const ids = await Promise.all(upTo(100).map((data) => queue.push('job', data)));
  expect(driver.faults.calls('push')).toBe(1);
  expect(new Set(ids).size).toBe(100);
  expect(await storedData(driver)).toEqual(upTo(100));
});

test('pushes that wait for each other are calls of their own', async () => {
  const { driver, queue } = setUp();
  for (const data of upTo(3)) await queue.push('job', data);
  expect(driver.faults.calls('push')).toBe(3);
});

test('a call carries no more than a page of jobs, or a megabyte', async () => {
  const { driver, queue } = setUp();
  await Promise.all(upTo(600).map((data) => queue.push('job', data)));
  expect(driver.faults.calls('push')).toBe(3);
  const large = 'x'.repeat(400_000);
  await Promise.all(upTo(5).map(() => queue.push('job', large)));
  expect(driver.faults.calls('push')).toBe(3 + 3);
});

test('each queue gets its own', async () => {
  const { driver, queue } = setUp();
  await Promise.all(['a', 'b', 'a'].map((name) => queue.push('job', name, { queue: name })));
  expect(driver.faults.calls('push')).toBe(2);
  expect(await queue.size('a')).toMatchObject({ ready: 2 });
});

test('while the store is away every push says so, and none is stored', async () => {
  const { driver, queue } = setUp();
  driver.faults.refuse('push', storeAway());
  const ends = await Promise.allSettled(upTo(3).map((data) => queue.push('job', data)));
  expect(ends.map((end) => end.status === 'rejected' && end.reason.code)).toEqual(
    Array(3).fill('E_STORE_UNAVAILABLE'),
  );
  expect(await storedData(driver)).toEqual([]);
});

test('what the store refuses of one push does not fail the others', async () => {
  const { driver, queue } = setUp();
  const refusal = new QueueError('E_PAYLOAD_TOO_LARGE', 'too large for the store');
  driver.faults.refuse('push', refusal); // all of them
  driver.faults.refuse('push', refusal); // the first by itself
  const ends = await Promise.allSettled(upTo(3).map((data) => queue.push('job', data)));
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(await storedData(driver)).toEqual([1, 2]);
});
