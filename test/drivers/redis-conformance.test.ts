import { afterAll, beforeAll } from 'vitest';
import { redisHarness } from '../support/redis-harness.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { runConformance } from '../support/run-conformance.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

runConformance(
  redisHarness(() => server),
  ['migrate', 'longestWaitMs'],
);
