import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => server.client.flushall());

test.each([
  ['think-3', '{queues:q}', 0],
  ['think-1', 'queues:q', 1],
  ['laravel', 'queues:q', 0],
] as const)(
  '%s: a look shows jobs that PHP holds, also one that it cannot read, and our own',
  async (wire, list, first) => {
    const text = (id: string, attempts: number) =>
      JSON.stringify({ job: 'x', data: 1, id, attempts, ...(wire === 'laravel' && { delay: null }) });
    const bad = '{"job":"x","data":1}';
    await server.client.zadd(`${list}:reserved`, '9999999998', text('php', 2), '9999999999', bad);
    const connector = redis({ url: server.url, wire }).connect(context);
    await server.client.rpush(list, text('ours', first), text('waiting', first + 1));
    await connector.reserve(['q'], 1, 60_000);

    const reserved = (await connector.peek?.('q', { state: 'reserved', limit: 10 })) ?? [];
    expect(reserved.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['ours', 1],
      ['php', 2],
      [null, expect.any(Number)],
    ]);
    expect(reserved[2]?.body).toBe(bad);
    const [ready] = (await connector.peek?.('q', { state: 'ready', limit: 10 })) ?? [];
    expect([ready?.id, ready?.attempts]).toEqual(['waiting', 1]);
    expect(await connector.find?.('q', 'php')).toMatchObject({ id: 'php', state: 'reserved' });
    await connector.close();
  },
);

test.each(['think-1', 'laravel'] as const)('%s: a hostile megabyte is kept whole', async (wire) => {
  const connector = redis({ url: server.url, wire }).connect(context);
  const hostile = [
    '"attempts":1'.repeat(90_000),
    `{${'"attempts":1,'.repeat(80_000)}`,
    `{"a":${'['.repeat(1_000_000)}`,
  ];
  for (const text of hostile) {
    await server.client.rpush('queues:q', text);
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job?.body === text).toBe(true);
    expect(await connector.delete(job ? [job.lease] : [])).toEqual([true]);
  }
  expect(await server.keys()).toEqual([]);
  await connector.close();
});

test.each(['think-1', 'laravel'] as const)('%s: a payload keeps what the push asked for', async (wire) => {
  const format = redis({ url: server.url, wire }).wire;
  const asked = { maxTries: 4, timeout: 30, timeoutAt: 2_000_000_000, backoff: [1, 5], maxExceptions: 2 };
  const body = format?.encode({ job: 'x', data: 1, id: 'a', ...asked }) ?? '';
  expect(format?.decode(body)).toMatchObject({ payload: asked });
});
