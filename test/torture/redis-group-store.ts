import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redis } from '../../drivers/redis/index.js';
import { addReplica, startRedisCluster } from '../support/redis-cluster.js';
import { startSentinelGroup } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Options } from './options.js';
import { fullMemory, lastingKeys } from './redis-store.js';
import type { Store } from './store.js';

/** What a replica may be behind its master on a busy machine: nobody waits for it. */
const undoneMs = 1000;
/** Until a master counts as dead: for longer than this machine may be busy. */
const deadMs = 3000;

/** Three masters and a replica of each. */
export async function onCluster(fsync: Options['fsync']): Promise<Store> {
  const flags = [...persistence(fsync), '--cluster-node-timeout', String(deadMs)];
  const cluster = await startRedisCluster(() => flags);
  const replicas: RedisServer[] = [];
  // One after the other, each known to all before it: all of them vote.
  for (const master of cluster.nodes) {
    replicas.push(await addReplica({ nodes: [...cluster.nodes, ...replicas] }, master, flags));
  }
  return groupStore({
    reach: { cluster: cluster.seeds },
    servers: [...cluster.nodes, ...replicas],
    masters: cluster.nodes.length,
    isForgotten: async () => true, // it asks the others before it takes anything
    stop: async () => {
      await Promise.all([cluster.stop(), ...replicas.map((one) => one.stop())]);
    },
  });
}

/** A master with two replicas, and three sentinels that watch over them. */
export async function onSentinel(fsync: Options['fsync']): Promise<Store> {
  const group = await startSentinelGroup({ replicas: 2, downAfterMs: deadMs, flags: persistence(fsync) });
  return groupStore({
    reach: { ioredis: { sentinels: group.sentinels, name: group.name } },
    servers: [group.master, ...group.replicas],
    masters: 1,
    // Until then they lead clients back to the old one, where it is there again: what that takes is dropped.
    isForgotten: async (victim) => {
      const told = await Promise.all(group.sentinels.map(({ port }) => masterBy(port, group.name)));
      return told.every((port) => port !== victim.port);
    },
    stop: () => group.stop(),
  });
}

interface Group {
  readonly reach: Store['reach'] & Parameters<typeof redis>[0];
  /** Masters and replicas, whichever is which now. */
  readonly servers: readonly RedisServer[];
  readonly masters: number;
  /** True once nobody sends clients to a master that is dead. */
  isForgotten(victim: RedisServer): Promise<boolean>;
  stop(): Promise<void>;
}

function groupStore(group: Group): Store {
  const { reach, servers, stop } = group;
  let turn = 0;
  const mastersNow = async () => {
    const roles = await Promise.all(servers.map(roleOf));
    return servers.filter((_, index) => roles[index] === 'master');
  };
  return {
    reach,
    // Nodes tell clients of each other, and would lead them past it.
    proxy: undefined,
    driver: redis(reach),
    hasClock: true,
    outage: {
      fault: 'failover',
      what: 'master killed, its replica took over',
      undoneMs,
      last: async (ms) => {
        const all = await mastersNow();
        const victim = all[turn++ % all.length];
        if (victim) await failOver(victim, group, ms);
      },
    },
    full: fullMemory(mastersNow),
    isFree: () => true,
    residue: async () => {
      const keys = await Promise.all((await mastersNow()).map(({ client }) => lastingKeys(client)));
      return { 'keys that stay': keys.flat().length };
    },
    requests: async () => undefined, // nodes and sentinels talk to each other as well
    stop,
  };
}

function persistence(fsync: Options['fsync']): string[] {
  return ['--appendonly', 'yes', '--appendfsync', fsync];
}

/** Kills a master, waits for its successor, and starts it again, which makes a replica of it. */
async function failOver(
  victim: RedisServer,
  { servers, masters, isForgotten }: Group,
  ms: number,
): Promise<void> {
  const others = servers.filter((one) => one !== victim);
  const goneFor = sleep(ms);
  await victim.crash();
  await until(async () => {
    const roles = await Promise.all(others.map(roleOf));
    return roles.filter((role) => role === 'master').length === masters && isForgotten(victim);
  });
  await goneFor;
  await victim.restart();
  await until(async () => /role:slave.*master_link_status:up/s.test(await victim.client.info('replication')));
}

async function roleOf({ client }: RedisServer): Promise<string | undefined> {
  return /role:(\w+)/.exec(await client.info('replication'))?.[1];
}

async function masterBy(sentinel: number, name: string): Promise<number> {
  const client = new Redis({ host: '127.0.0.1', port: sentinel });
  try {
    const [, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[];
    return Number(port);
  } finally {
    client.disconnect();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await sleep(50);
}
