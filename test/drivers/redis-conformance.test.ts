import { afterAll, beforeAll } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { runConformance } from '../support/run-conformance.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const factory: HarnessFactory = {
  async open() {
    await server.client.flushall();
    const context = {
      connection: 'redis',
      clock: systemClock,
      logger: silentLogger,
      runInline: async () => {},
    };
    const driver = redis(server.url);
    const connector = driver.connect(context);
    const other = driver.connect(context);
    return {
      connector,
      other,
      now: () => server.now(),
      advance: (ms) => server.advance(ms),
      close: async () => {
        await Promise.all([connector.close(), other.close()]);
      },
    };
  },
};

runConformance(factory, ['migrate', 'longestWaitMs']);
