import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, silentLogger, systemClock } from '../../src/index.js';
import { type RedisServer, startRedis } from './redis-server.js';

/** What connectors of tests are made with. */
export const context = {
  connection: 'redis',
  clock: systemClock,
  logger: silentLogger,
  runInline: async () => {},
};

/** A server for the tests of one file, which each of them finds empty, and a connector to it for each. */
export function redisPerTest(
  each: (server: RedisServer, connector: Connector) => void | Promise<void>,
): void {
  let server: RedisServer;
  let connector: Connector;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    await server.client.flushall();
    connector = redis(server.url).connect(context);
    await each(server, connector);
  });
  afterEach(() => connector.close());
}
