import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Driver, defineJob } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

/** What goes back goes to the front: of two calls the later one brings its jobs before those of the first. */
let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterEach(() => void vi.useRealTimers());
afterAll(() => server?.stop());

const quick = (count: number) => Array.from({ length: count }, (_, index) => `quick ${index}`);
const isQuick = (data: string) => data !== 'slow';

/** A driver whose answer to one reserve comes late. */
function late(driver: Driver) {
  const [answered, arrival] = [deferred(), deferred()];
  let isNext = false;
  async function passOn<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (!isNext) return await call();
    isNext = false;
    const answer = await call();
    answered.resolve();
    await arrival.promise;
    return answer;
  }
  const connect: Driver['connect'] = (context) => {
    const connector = driver.connect(context);
    const { reserve, deleteAndReserve } = connector;
    connector.reserve = (...how) => passOn(() => reserve.apply(connector, how));
    if (deleteAndReserve)
      connector.deleteAndReserve = (...how) => passOn(() => deleteAndReserve.apply(connector, how));
    return connector;
  };
  const next = () => {
    isNext = true;
  };
  return { driver: { ...driver, connect }, next, answered, arrival };
}

test.each([1, 2])('no job overtakes those that go back while it comes: %i slots', async (concurrency) => {
  const [slow, lastRan] = [deferred(), deferred()];
  const ran: string[] = [];
  let slowOnes = 0;
  const { driver, next, answered, arrival } = late(redis({ url: server.url }));
  const job = defineJob<string>({
    name: 'job',
    handle: async ({ data }) => {
      ran.push(data);
      if (data === 'new') lastRan.resolve();
      if (isQuick(data)) return;
      if (++slowOnes === concurrency) {
        next();
        await queue.push('job', 'new'); // who waits is woken
      }
      await slow.promise;
    },
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [job] });
  await queue.bulk('job', [...quick(200), ...Array(concurrency).fill('slow'), 'held 1', 'held 2']);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
  const stop = new AbortController();
  const run = queue.worker({ concurrency }).run(stop.signal);
  await answered.promise;
  vi.advanceTimersByTime(1000); // longer than any is held
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  vi.useRealTimers();
  arrival.resolve();
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  slow.resolve();
  await within(lastRan.promise, 'the last job');
  stop.abort();
  await run;
  await queue.close();
  expect(ran.filter(isQuick)).toEqual([...quick(200), 'held 1', 'held 2', 'new']);
});
