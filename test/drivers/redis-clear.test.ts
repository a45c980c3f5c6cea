import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, type ReservedJob, silentLogger, systemClock } from '../../src/index.js';
import { Monitor } from '../support/monitor.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const list = '{queues:q}';
const count = 2500;

let server: RedisServer;
let connector: Connector;
let monitor: Monitor;
beforeAll(async () => {
  server = await startRedis();
  monitor = await Monitor.open(server.client, server.port);
});
afterAll(async () => {
  monitor?.close();
  await server?.stop();
});
beforeEach(async () => {
  await server.client.flushall();
  connector = redis(server.url).connect(context);
});
afterEach(() => connector.close());

/** Jobs with ids of callers, every second of them with a body that is kept aside. */
function jobs(name: string) {
  return Array.from({ length: count }, (_, index) => {
    const id = `${name}-${index}`;
    return {
      id,
      unique: true,
      body: index % 2 === 0 ? `{"job":"x","id":"${id}","attempts":0}` : `text ${id}`,
    };
  });
}

test('a clear keeps what many reserved jobs have beside them, a hundred at a time, and frees the rest', async () => {
  await connector.push('q', jobs('held'));
  const held = await connector.reserve(['q'], count, 60_000);
  await connector.push('q', jobs('waiting'));
  await connector.push('q', [{ id: 'later', body: 'later', unique: true, delayMs: 60_000 }]);

  const { result, commands } = await monitor.during(() => connector.clear('q'));
  expect(result).toEqual({ ready: count, delayed: 1, reserved: 0 });
  const looks = commands.filter(([name, key]) => name === 'ZRANGE' && key === `${list}:reserved`);
  expect(looks.map(([, , from, to]) => Number(to) - Number(from) + 1)).toEqual(
    new Array(count / 100).fill(100),
  );
  const inside = commands.filter(([name = '']) => !name.startsWith('EVAL'));
  expect(Math.max(...inside.map((command) => command.length))).toBeLessThan(6);

  expect((await server.client.keys('*')).sort()).toEqual([
    `${list}:bodies`,
    `${list}:ids`,
    `${list}:reserved`,
  ]);
  expect((await server.client.smembers(`${list}:ids`)).sort()).toEqual(held.map(({ id }) => id).sort());
  expect(await server.client.hlen(`${list}:bodies`)).toBe(count / 2);
  const again = await connector.push('q', [...jobs('held').slice(0, 2), ...jobs('waiting').slice(0, 2)]);
  expect(again).toEqual(['already-there', 'already-there', 'stored', 'stored']);

  await server.advance(70_000);
  const back: ReservedJob[] = [];
  // Each moves a thousand that have lapsed.
  for (let turn = 0; turn < 3; turn += 1) back.push(...(await connector.reserve(['q'], count * 2, 60_000)));
  const bodies = new Map(back.map(({ id, body }) => [id, body]));
  expect(held.every(({ id, body }) => bodies.get(id) === body)).toBe(true);
  await connector.delete(back.map(({ lease }) => lease));
  expect(await server.client.keys('*')).toEqual([]);
});

test('a clear of a full server goes through, and keeps what is reserved', async () => {
  await connector.push('q', jobs('held').slice(0, 10));
  const held = await connector.reserve(['q'], 10, 60_000);
  await connector.push('q', jobs('waiting'));
  await server.client.config('SET', 'maxmemory', '1');
  await expect(connector.push('q', jobs('more'))).rejects.toMatchObject({ code: 'E_STORE_FULL' });
  expect(await connector.clear('q')).toEqual({ ready: count, delayed: 0, reserved: 0 });
  await server.client.config('SET', 'maxmemory', '0');
  expect(await server.client.hlen(`${list}:bodies`)).toBe(5);
  expect(await connector.delete(held.map(({ lease }) => lease))).toEqual(new Array(10).fill(true));
  expect(await server.client.keys('*')).toEqual([]);
});

test.each(['ids', 'bodies', 'reserved', 'delayed'])(
  'a clear that finds something else under :%s changes nothing',
  async (part) => {
    await connector.push('q', [{ id: 'a', body: 'text', unique: true }]);
    await server.client.set(`${list}:${part}`, 'mine');
    await expect(connector.clear('q')).rejects.toMatchObject({ code: 'E_STORE_SCHEMA' });
    await expect(connector.clear('q', { reserved: true })).rejects.toMatchObject({ code: 'E_STORE_SCHEMA' });
    expect(await server.client.llen(list)).toBe(1);
    expect(await server.client.get(`${list}:${part}`)).toBe('mine');
  },
);
