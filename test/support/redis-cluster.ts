import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { type RedisServer, startRedis } from './redis-server.js';

/** A Redis Cluster of its own for one test file: three masters on loopback, without replicas. */
export interface RedisCluster {
  /** For the option `cluster`. */
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
  /** The masters, each with about a third of the slots. */
  readonly nodes: readonly RedisServer[];
  /** The node that serves a key. */
  nodeOf(key: string): Promise<RedisServer>;
  /** Resolves once every node sees all slots served. */
  untilOk(): Promise<void>;
  /** Lets time pass for every queue. */
  advance(ms: number): Promise<void>;
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Where one node's slots end and those of the next begin, so that the queues of the conformance cases are spread. */
const borders = [0, 4096, 10_923, 16_384];

/** @param flagsOf more of a node's command line, by its number from 0. */
export async function startRedisCluster(
  flagsOf: (index: number) => readonly string[] = () => [],
): Promise<RedisCluster> {
  const nodes = await Promise.all([0, 1, 2].map((index) => startNode(flagsOf(index))));
  const [first] = nodes as [RedisServer];
  const cluster: RedisCluster = {
    seeds: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    nodes,
    nodeOf: async (key) => nodes[await ownerOf(first, nodes, key)] as RedisServer,
    untilOk: () => untilOk(nodes),
    advance: async (ms) => {
      await Promise.all(nodes.map((node) => node.advance(ms)));
    },
    flush: async () => {
      await Promise.all(nodes.map((node) => node.client.flushall()));
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
  try {
    for (const [index, { client }] of nodes.entries()) {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      const [from = 0, next = 0] = borders.slice(index);
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(next - 1));
    }
    for (const node of nodes.slice(1)) await meet(first, node);
    await untilOk(nodes);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/** Moves one slot with its keys from a master to another, and tells `between` while it is on its way. */
export async function moveSlot(
  slot: number,
  from: RedisServer,
  to: RedisServer,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const ids = { from: await idOf(from), to: await idOf(to) };
  const set = (node: RedisServer, ...how: string[]) =>
    node.client.call('CLUSTER', 'SETSLOT', String(slot), ...how);
  await set(to, 'IMPORTING', ids.from);
  await set(from, 'MIGRATING', ids.to);
  await between();
  const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
  for (const key of keys) await from.client.migrate('127.0.0.1', to.port, key, 0, 5000);
  await set(to, 'NODE', ids.to);
  await set(from, 'NODE', ids.to);
}

/** The id by which the nodes of a cluster know one of them. */
async function idOf(node: RedisServer): Promise<string> {
  return String(await node.client.call('CLUSTER', 'MYID'));
}

/** Makes two nodes know each other. On a busy machine a handshake may run out of time, and is begun anew then. */
async function meet(one: RedisServer, other: RedisServer): Promise<void> {
  const bus = String(portOfBus.get(other));
  while (!((await knows(one, other)) && (await knows(other, one)))) {
    await one.client.call('CLUSTER', 'MEET', '127.0.0.1', String(other.port), bus);
    await pause(20);
  }
}

async function knows(one: RedisServer, other: RedisServer): Promise<boolean> {
  const nodes = String(await one.client.call('CLUSTER', 'NODES'));
  return nodes.includes(await idOf(other));
}

const portOfBus = new WeakMap<RedisServer, number>();

/** A node that belongs to no cluster yet. */
async function startNode(flags: readonly string[] = []): Promise<RedisServer> {
  const bus = await freePort();
  // A replica tries to take over for as long as it must, however slow the machine is.
  const clustered = [
    '--cluster-replica-validity-factor',
    '0',
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(bus),
  ];
  const node = await startRedis(
    ...clustered,
    '--cluster-node-timeout',
    '1000',
    '--repl-diskless-sync-delay',
    '0',
    ...flags,
  );
  portOfBus.set(node, bus);
  return node;
}

/** Adds a replica to a master, and waits until it follows and the others would vote for it. */
export async function addReplica(
  cluster: Pick<RedisCluster, 'nodes'>,
  master: RedisServer,
  flags: readonly string[] = [],
): Promise<RedisServer> {
  const replica = await startNode(flags);
  await meet(master, replica);
  const id = await idOf(master);
  await replica.client.call('CLUSTER', 'REPLICATE', id);
  while (!(await replica.client.info('replication')).includes('master_link_status:up')) await pause(20);
  // The other masters vote for it, so they must have heard of it.
  const replicaId = await idOf(replica);
  for (const { client } of cluster.nodes) {
    for (;;) {
      const nodes = String(await client.call('CLUSTER', 'NODES')).split('\n');
      if (nodes.some((line) => line.startsWith(replicaId) && line.includes(`slave ${id}`))) break;
      await pause(20);
    }
  }
  return replica;
}

async function ownerOf(asked: RedisServer, nodes: readonly RedisServer[], key: string): Promise<number> {
  const slot = Number(await asked.client.call('CLUSTER', 'KEYSLOT', key));
  const ranges = (await asked.client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
  return nodes.findIndex(({ port }) => port === master?.[1]);
}

async function untilOk(nodes: readonly RedisServer[]): Promise<void> {
  for (const { client } of nodes) {
    for (;;) {
      const info = String(await client.call('CLUSTER', 'INFO'));
      if (info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384')) break;
      await pause(20);
    }
  }
}
