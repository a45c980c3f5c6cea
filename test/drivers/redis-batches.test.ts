import { afterAll, beforeAll, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

/** A body as a push writes it, with so much data. */
function bodyOf(id: string, bytes: number, text = 'x'): string {
  return `{"job":"mail","data":"${text.repeat(bytes)}","id":"${id}","attempts":0}`;
}

test('short and long jobs of one reserve, and bodies kept beside them, come whole and in order', async () => {
  const connector = redis(server.url).connect(context);
  const bodies = [
    bodyOf('1', 5),
    bodyOf('2', 20_000),
    bodyOf('3', 2000, 'é'),
    bodyOf('4', 5),
    'no JSON, and short',
    bodyOf('6', 1500),
    'no JSON, and long '.repeat(500),
    bodyOf('8', 5),
  ];
  await connector.push(
    'q',
    bodies.map((body, index) => ({ id: String(index + 1), body })),
  );

  const jobs = await connector.reserve(['q'], 10, 60_000);

  expect(jobs.map(({ id, body }) => ({ id, body }))).toEqual(
    bodies.map((body, index) => ({ id: String(index + 1), body })),
  );
  expect(await connector.delete(jobs.map(({ lease }) => lease))).toEqual(bodies.map(() => true));
  expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  await connector.close();
});
