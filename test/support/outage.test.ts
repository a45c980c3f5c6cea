import { afterEach, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { deferred } from './deferred.js';
import { containing, type FaultProxy, type PlannedFault, startFaultProxy } from './fault-proxy.js';
import { worksThrough } from './outage.js';
import { type RedisServer, startRedis } from './redis-server.js';

const leaseMs = 20_000;
let server: RedisServer;
let proxy: FaultProxy;
afterEach(async () => {
  await proxy.close();
  await server.stop();
});

test('a job that is on its way to the worker as this stops runs once, whatever lapses then', async () => {
  server = await startRedis();
  proxy = await startFaultProxy(server.port);
  const taken = deferred<PlannedFault>();
  // The worker is the first to be opened.
  const urls = [`redis://127.0.0.1:${proxy.port}`];
  await worksThrough({
    queues: ['q'],
    driver: () => redis({ url: urls.pop() ?? server.url, lease: `${leaseMs}ms` }),
    happen: async () => {
      const answer = proxy.plan('held-reply', containing('BLMOVE'));
      await answer.happened;
      taken.resolve(answer);
    },
    lapse: async () => {
      await (await taken.promise).deliver();
      await server.advance(leaseMs);
    },
  });
});
