import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, silentLogger, systemClock } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const block = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** As a handler that computes for long, while a call that it knows nothing of is under way. */
async function whileBlocked<T>(call: Promise<T>): Promise<T> {
  await nextTurn();
  block(1500);
  return await call;
}

const job = { id: 'a', body: '{"job":"a","data":1,"id":"a","attempts":0}' };

describe('an answer that came while the event loop was blocked for longer than a call may take', () => {
  describe.each(serverKinds)('from %s', (kind) => {
    const sandbox = new ServerSandbox(kind);
    beforeAll(async () => {
      await sandbox.make();
    });
    afterAll(() => sandbox.clean());

    test('is taken', async () => {
      const connector = sandbox.open({ prefix: sandbox.newPrefix(), commandTimeout: '1s' });
      await connector.push('mail', [job]);
      await Promise.all([connector.size('mail'), connector.size('mail')]); // connections that are there already
      expect(await whileBlocked(connector.reserve(['mail'], 1, 60_000))).toMatchObject([{ id: 'a' }]);
    });
  });

  describe('from Redis', () => {
    let server: RedisServer;
    let connector: Connector;
    beforeAll(async () => {
      server = await startRedis();
      connector = redis({ url: server.url, commandTimeout: '1s' }).connect({
        connection: 'redis',
        clock: systemClock,
        logger: silentLogger,
        runInline: async () => {},
      });
    });
    afterAll(async () => {
      await connector?.close();
      await server?.stop();
    });

    test('is taken', async () => {
      await connector.push('mail', [job]);
      expect(await whileBlocked(connector.reserve(['mail'], 1, 60_000))).toMatchObject([{ id: 'a' }]);
    });
  });
});
