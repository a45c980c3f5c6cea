import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import type { RedisServer } from './redis-server.js';

/** A server for the suite, which each case finds empty. */
export function redisHarness(server: () => RedisServer): HarnessFactory {
  return {
    async open() {
      await server().client.flushall();
      const context = {
        connection: 'redis',
        clock: systemClock,
        logger: silentLogger,
        runInline: async () => {},
      };
      const driver = redis(server().url);
      const connector = driver.connect(context);
      const other = driver.connect(context);
      return {
        connector,
        other,
        now: () => server().now(),
        advance: (ms) => server().advance(ms),
        close: async () => {
          await Promise.all([connector.close(), other.close()]);
        },
      };
    },
  };
}
