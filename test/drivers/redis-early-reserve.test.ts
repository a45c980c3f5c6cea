import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, silentLogger, systemClock } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
const open = new Set<Connector>();
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterEach(async () => {
  for (const connector of open) await connector.close();
  open.clear();
});
afterAll(() => server?.stop());

function connect(): Connector & Required<Pick<Connector, 'waitForJob'>> {
  const connector = redis(server.url).connect({
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  });
  open.add(connector);
  return connector as ReturnType<typeof connect>;
}

const body = (id: string, attempts = 0) => `{"job":"a","data":1,"id":"${id}","attempts":${attempts}}`;

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(5);
}

/** A connector that asked for so many jobs, found none, waits, and is woken by what `act` does. */
async function woken(limit: number, act: () => Promise<unknown>): Promise<ReturnType<typeof connect>> {
  const connector = connect();
  expect(await connector.reserve(['q'], limit, 60_000)).toEqual([]);
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await act();
  await waiting;
  return connector;
}

const push = (...ids: string[]) =>
  connect().push(
    'q',
    ids.map((id) => ({ id, body: body(id) })),
  );
const sizeOf = () => connect().size('q');
const isReserved = async (count: number) => (await sizeOf()).reserved === count;

test('a job goes to the one who waited for it', async () => {
  const connector = await woken(1, () => push('one'));
  const [job] = await connector.reserve(['q'], 1, 60_000);
  expect(job).toMatchObject({ id: 'one', attempts: 1, body: body('one') });
  expect(await connector.delete(job ? [job.lease] : [])).toEqual([true]);
  expect(await sizeOf()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('what nobody asks for goes back in its order, its attempt unspent', async () => {
  await server.client.config('RESETSTAT');
  await woken(2, () => push('one', 'two', 'three'));
  const givenBack = async () =>
    String(await server.client.info('commandstats')).includes('cmdstat_lpush:calls=2');
  await until(givenBack);
  expect(await sizeOf()).toEqual({ ready: 3, delayed: 0, reserved: 0 });
  expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual(
    ['one', 'two', 'three'].map((id) => body(id)),
  );
});

test('closing gives back what nobody has asked for', async () => {
  const connector = await woken(1, () => push('one'));
  await connector.close();
  open.delete(connector);
  expect(await sizeOf()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual([body('one')]);
});

test('who asks for fewer than before gets no more than that', async () => {
  const connector = await woken(3, () => push('one', 'two', 'three'));
  expect((await connector.reserve(['q'], 1, 60_000)).map(({ id }) => id)).toEqual(['one']);
  await until(() => isReserved(1));
  expect((await connector.reserve(['q'], 5, 60_000)).map(({ id }) => id)).toEqual(['two', 'three']);
});

test('who asks for another lease gets that one', async () => {
  const connector = await woken(1, () => push('one'));
  await until(async () => (await connector.reserve(['q'], 1, 30_000)).length === 1);
  const [, endsAt] = await server.client.zrange('{queues:q}:reserved', '0', '-1', 'WITHSCORES');
  expect(Number(endsAt) * 1000 - Date.now()).toBeLessThan(31_000);
});

test('deletions that come with the reserve are done beside it', async () => {
  const connector = connect();
  await push('first');
  const [first] = await connector.reserve(['q'], 2, 60_000);
  if (!first || !connector.deleteAndReserve) throw new Error('nothing was reserved');
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await push('second');
  await waiting;
  const { held, jobs } = await connector.deleteAndReserve([first.lease], ['q'], 2, 60_000);
  expect(held).toEqual([true]);
  expect(jobs.map(({ id }) => id)).toEqual(['second']);
});

test('what PHP has delivered before, and what is no job, is left to the whole script', async () => {
  for (const member of [body('php', 2), 'no JSON']) {
    const connector = await woken(1, () => server.client.rpush('{queues:q}', member));
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject(member === 'no JSON' ? { body: member } : { id: 'php', attempts: 3 });
    await connector.delete(job ? [job.lease] : []);
    await connector.close();
    open.delete(connector);
  }
});

test('a wait without a reserve before it takes nothing', async () => {
  const connector = connect();
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await push('one');
  await waiting;
  expect(await sizeOf()).toMatchObject({ ready: 1, reserved: 0 });
});
