import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { EarlyReserve } from '../../drivers/redis/early-reserve.js';
import { type Connector, monotonicMs, type ReservedJob } from '../../src/index.js';
import { type FaultProxy, type Matcher, startFaultProxy } from '../support/fault-proxy.js';
import { RedisConnectors } from '../support/redis-connectors.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

/** What the server takes for who waits, and what that one then asks for in another connection: in which order they come. */
let server: RedisServer;
let proxy: FaultProxy;
const connectors = new RedisConnectors();
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  await server.client.flushall();
  proxy = await startFaultProxy(server.port);
});
afterEach(async () => {
  vi.useRealTimers();
  await connectors.close();
  await proxy.close();
});
afterAll(() => server?.stop());

const body = (id: string) => `{"job":"a","data":1,"id":"${id}","attempts":0}`;
const push = (id: string) => server.client.rpush('{queues:q}', body(id));
const idsOf = (jobs: readonly ReservedJob[]) => jobs.map(({ id }) => id);
const readyIds = async () =>
  (await server.client.lrange('{queues:q}', 0, -1)).map((member) => JSON.parse(member).id);
const isReserved = async (count: number) => (await server.client.zcard('{queues:q}:reserved')) === count;
const blocksIn = async (command: string) =>
  new RegExp(` flags=b .* cmd=${command} `).test(String(await server.client.client('LIST')));

const saying =
  (command: string): Matcher =>
  (asked) =>
    asked.toString('latin1').toLowerCase().includes(`\r\n${command}\r\n`);

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(5);
}

/** The server was started anew, or its scripts were flushed: it is told anew what reserves, but not what gives back. */
async function forgetButToReserve(connector: Connector): Promise<void> {
  await server.client.script('FLUSH');
  await server.client.rpush('{queues:another}', body('a'), body('b'));
  for (const _ of ['a', 'b']) await connector.reserve(['another'], 1, 60_000); // the second by the short script
}

/** A connector that asked for so many jobs, found none, and waited. What its waiting connection hears is held. */
async function waited(limit: number) {
  const connector = connectors.connect(`redis://127.0.0.1:${proxy.port}`);
  const heard = proxy.plan('held-reply', saying('blmove'));
  expect(await connector.reserve(['q'], limit, 60_000)).toEqual([]);
  const stop = new AbortController();
  const waiting = connector.waitForJob(['q'], 60_000, stop.signal);
  await until(() => blocksIn('blmove'));
  stop.abort();
  await waiting;
  return { connector, heard };
}

/** The same; the server then took a job for it, and these came behind. */
async function tookOne(limit: number, ...behind: readonly string[]) {
  const { connector, heard } = await waited(limit);
  await push('one');
  await until(() => isReserved(1));
  for (const id of behind) await push(id);
  return { connector, heard };
}

test('what the server took first comes first, though the answer is read later', async () => {
  const { connector, heard } = await tookOne(3, 'two');
  const reserving = connector.reserve(['q'], 3, 60_000);
  await until(() => isReserved(2));
  await connector.size('q'); // its answer follows that of the reserve
  await heard.deliver();
  expect(idsOf(await reserving)).toEqual(['one', 'two']);
});

test.each([
  // The other waiting connection is alive: this process has had its turns.
  ['it comes first too where its answer is read', () => until(() => blocksIn('blpop'))],
  ['it is not given back after its time', () => pause(250)],
])('%s while that reserve is on its way', async (_, aWhile) => {
  const { connector, heard } = await tookOne(3, 'two');
  const answered = proxy.plan('held-reply', saying('evalsha'));
  const reserving = connector.reserve(['q'], 3, 60_000);
  await until(() => isReserved(2));
  await heard.deliver();
  await aWhile();
  await answered.deliver();
  expect(idsOf(await reserving)).toEqual(['one', 'two']);
});

test('what is too much then goes back, the younger ones', async () => {
  const { connector, heard } = await tookOne(1, 'two', 'three');
  const reserving = connector.reserve(['q'], 1, 60_000);
  await until(() => isReserved(2));
  await connector.size('q');
  await heard.deliver();
  expect(idsOf(await reserving)).toEqual(['one']);
  await until(() => isReserved(1));
  expect(await readyIds()).toEqual(['two', 'three']);
  expect(idsOf(await connector.reserve(['q'], 3, 60_000))).toEqual(['two', 'three']);
});

test('a reserve that comes right behind finds what goes back in its place', async () => {
  const { connector, heard } = await tookOne(1, 'two', 'three');
  const reserving = connector.reserve(['q'], 1, 60_000);
  await until(() => isReserved(2));
  await connector.size('q');
  await forgetButToReserve(connector);
  await heard.deliver();
  expect(idsOf(await reserving)).toEqual(['one']);
  expect(idsOf(await connector.reserve(['q'], 3, 60_000))).toEqual(['two', 'three']);
});

test('a reserve that finds nothing brings what the server took before it', async () => {
  const { connector, heard } = await tookOne(3);
  const reserving = connector.reserve(['q'], 3, 60_000);
  await connector.size('q');
  await push('two');
  await heard.deliver();
  expect(idsOf(await reserving)).toEqual(['one']);
  expect(idsOf(await connector.reserve(['q'], 3, 60_000))).toEqual(['two']);
});

test('who looks before it waits does not wait for what the server took', async () => {
  const { connector, heard } = await waited(3);
  await connector.waitForJob(['q'], 1, signal); // uses up what the last reserve has shown
  await push('one');
  await until(() => isReserved(1));
  await connector.waitForJob(['q'], 60_000, signal);
  const reserving = connector.reserve(['q'], 3, 60_000);
  await heard.deliver();
  expect(idsOf(await reserving)).toEqual(['one']);
});

test('nobody waits for a server that has taken nothing yet', async () => {
  const { connector } = await waited(3);
  await server.client.zadd('{queues:q}:delayed', 1, body('due'));
  const manyTrips = async () => {
    for (let trip = 0; trip < 100; trip++) await connector.size('q');
    return 'later than a hundred trips';
  };
  const first = await Promise.race([connector.reserve(['q'], 3, 60_000), manyTrips()]);
  expect(first).toMatchObject([{ id: 'due' }]);
  expect(await blocksIn('blmove')).toBe(true);
});

test('an answer that does not come holds up nothing for long, and is no longer lost when it comes', async () => {
  const { connector, heard } = await tookOne(3, 'two');
  expect(idsOf(await connector.reserve(['q'], 3, 60_000))).toEqual(['two']);
  await heard.deliver();
  await until(async () => idsOf(await connector.reserve(['q'], 3, 60_000)).includes('one'));
});

test('what a reserve has brought is not lost with what should have come before it', async () => {
  const early = new EarlyReserve({
    reserve: () => Promise.reject(new Error('cut off')),
    giveBack: async () => [],
    onError: () => {},
  });
  const lease = { queue: 'q', token: 't', handle: '1' };
  const later: ReservedJob = { id: 'later', queue: 'q', body: body('later'), attempts: 1, lease };
  const hear = () => {
    early.asked(['q'], 3, 60_000, 0);
    early.heard(['q']);
  };
  hear();
  expect(await early.take(['q'], 3, 60_000, [later])).toEqual([later]);
  hear();
  await expect(early.take(['q'], 3, 60_000)).rejects.toThrow('cut off');
});

test('each goes back when nobody has asked for it for 100 ms, but not what was asked for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
  const back: string[] = [];
  const early = new EarlyReserve({
    reserve: async () => [],
    giveBack: async (jobs) => void back.push(...idsOf(jobs)),
    onError: () => {},
  });
  const take = (queue: string) => {
    const lease = { queue, token: 't', handle: '1' };
    const job: ReservedJob = { id: queue, queue, body: body(queue), attempts: 1, lease };
    early.taken([queue], 60_000, Promise.resolve([job]), monotonicMs());
  };
  take('a');
  await vi.advanceTimersByTimeAsync(30);
  take('asked for');
  expect(await early.take(['asked for'], 1, 60_000)).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(30);
  take('b');
  let finish = (): void => {};
  const reserving = early.during(
    ['b'],
    new Promise<void>((resolve) => {
      finish = resolve;
    }),
  );
  await vi.advanceTimersByTimeAsync(39);
  expect(back).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(back).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(150); // a reserve is under way that may bring what comes behind it
  finish();
  await reserving;
  expect(back).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(100);
  expect(back).toEqual(['a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});
