import { afterAll, beforeAll, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { runConformance } from '../support/run-conformance.js';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster?.stop());

const factory: HarnessFactory = {
  async open() {
    await cluster.flush();
    const context = {
      connection: 'redis',
      clock: systemClock,
      logger: silentLogger,
      runInline: async () => {},
    };
    const driver = redis({ cluster: cluster.seeds.slice(0, 1) });
    const connector = driver.connect(context);
    const other = driver.connect(context);
    return {
      connector,
      other,
      now: () => cluster.nodes[0]?.now() ?? Promise.reject(new Error('there is no node')),
      advance: (ms) => cluster.advance(ms),
      close: async () => {
        await Promise.all([connector.close(), other.close()]);
      },
    };
  },
};

test('the queues of the cases are spread over the nodes', async () => {
  const nodeOf = (queue: string) => cluster.nodeOf(`{queues:${queue}}`);
  for (const [one, other] of [
    ['high', 'low'],
    ['low', 'empty'],
    ['mail', 'sms'],
    ['q', 'other'],
  ] as const) {
    expect((await nodeOf(one)).port, `${one} and ${other}`).not.toBe((await nodeOf(other)).port);
  }
});

runConformance(factory, ['fail', 'failedJobs.retry', 'migrate', 'longestWaitMs']);
