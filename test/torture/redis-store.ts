import { setTimeout as sleep } from 'node:timers/promises';
import { redis } from '../../drivers/redis/index.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import type { Options } from './options.js';
import type { Breakage, Store } from './store.js';

/** Keys that tell of no waiting or running job. */
const beside = /:(?:watcher|wake)$|\{drover\}|:failed|:workers|:restart|:paused|drover:/;

/** One Redis server that keeps what it accepts. */
export async function onRedis(fsync: Options['fsync']): Promise<Store> {
  const server = await startRedis('--appendonly', 'yes', '--appendfsync', fsync);
  const proxy = await startFaultProxy(server.port);
  return {
    reach: { url: `redis://127.0.0.1:${proxy.port}` },
    proxy,
    driver: redis(server.url),
    hasClock: true,
    outage: {
      fault: 'outage',
      what: 'server killed and started again',
      last: async (ms) => {
        await server.crash();
        await sleep(ms);
        await server.restart();
      },
    },
    full: fullMemory(async () => [server]),
    isFree: () => true,
    residue: async () => ({ 'keys that stay': (await lastingKeys(server.client)).length }),
    // Not the commands: what scripts do within are commands, too.
    requests: async () => Number(/total_reads_processed:(\d+)/.exec(await server.client.info('stats'))?.[1]),
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}

/** The servers have less memory than they use: pushes are refused, and what is there can be worked off. */
export function fullMemory(servers: () => Promise<readonly RedisServer[]>): Breakage {
  const limit = async (all: readonly RedisServer[], bytes: number) => {
    await Promise.all(all.map(({ client }) => client.config('SET', 'maxmemory', bytes)));
  };
  return {
    fault: 'full',
    what: 'maxmemory reached',
    last: async (ms) => {
      const all = await servers();
      await limit(all, 1);
      await sleep(ms);
      await limit(all, 0);
    },
  };
}

/** Keys of queues that do not go by themselves. */
export async function lastingKeys(client: RedisServer['client']): Promise<string[]> {
  const keys = (await client.keys('*')).filter((key) => !beside.test(key));
  const ends = await Promise.all(keys.map((key) => client.pttl(key)));
  return keys.filter((_, index) => ends[index] === -1);
}
