import { afterAll, beforeAll } from 'vitest';
import { webman } from '../../drivers/webman/index.js';
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
      connection: 'webman',
      clock: systemClock,
      logger: silentLogger,
      runInline: async () => {},
    };
    const driver = webman(server.url);
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

const inOrderOfBytes =
  'webman keeps the delayed packages of one second in the order of their bytes: those of generated ids, which sort by time';

runConformance(factory, ['migrate', 'longestWaitMs', 'releaseThrown'], /^/, {
  'order: jobs of one delay become due in the order given': inOrderOfBytes,
  'order: 20,000 jobs that become due at once keep their order in batches': inOrderOfBytes,
});
