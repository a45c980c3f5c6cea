import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type QueueError, silentLogger, systemClock } from '../../src/index.js';
import { type FullConnector, idsOf, offered } from '../conformance/steps.js';
import { within } from '../support/deferred.js';
import { containing, type FaultKind, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { errorOf, insist } from '../support/redis-refusals.js';
import type { RedisServer } from '../support/redis-server.js';

// Each master of the Cluster has a proxy in front of it, under whose port it is known.

let cluster: RedisCluster;
const proxies = new Map<RedisServer, FaultProxy>();
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  cluster = await startRedisCluster(() => ['--appendonly', 'yes', '--appendfsync', 'always']);
  for (const node of cluster.nodes) {
    const proxy = await startFaultProxy(node.port);
    proxies.set(node, proxy);
    await node.client.config('SET', 'cluster-announce-port', String(proxy.port));
  }
  // They tell each other with the next beat.
  for (const { client } of cluster.nodes) {
    const isKnown = async () => {
      const slots = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      return slots.every(([, , [, port]]) => [...proxies.values()].some((proxy) => proxy.port === port));
    };
    while (!(await isKnown())) await pause(20);
  }
});
afterEach(async () => {
  for (const proxy of proxies.values()) proxy.heal();
  for (const one of opened.splice(0)) await one.close();
  await cluster.flush();
});
afterAll(async () => {
  for (const proxy of proxies.values()) await proxy.close();
  await cluster?.stop();
});

const job = (id: string) => ({
  id,
  body: `{"job":"mail","data":null,"id":"${id}","attempts":0}`,
  unique: true,
});
const empty = { ready: 0, delayed: 0, reserved: 0 };

/** A connector whose scripts all masters know. */
async function connect(): Promise<FullConnector> {
  const context = {
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  };
  const seeds = [...proxies.values()].map(({ port }) => ({ host: '127.0.0.1', port }));
  const connector = offered(redis({ cluster: seeds, commandTimeout: 0.5 }).connect(context));
  opened.push(connector);
  for (const queue of ['low', 'high', 'other']) {
    await connector.push(queue, [job('warm')]);
    const [held] = await connector.reserve([queue], 1, 60_000);
    await connector.delete(held ? [held.lease] : []);
  }
  return connector;
}

/** The master that has a queue, and its proxy. */
async function on(queue: string): Promise<{ node: RedisServer; proxy: FaultProxy }> {
  const [asked] = cluster.nodes as [RedisServer];
  const slot = Number(await asked.client.call('CLUSTER', 'KEYSLOT', `{queues:${queue}}`));
  const slots = (await asked.client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const [, , master] = slots.find(([from, to]) => from <= slot && slot <= to) ?? [];
  const found = [...proxies].find(([, { port }]) => port === master?.[1]);
  if (found === undefined) throw new Error(`nobody has the queue ${queue}`);
  return { node: found[0], proxy: found[1] };
}

describe.each<FaultKind>(['lose-reply', 'half-reply', 'cut-before', 'half-open', 'swallow'])(
  'a request to one master that meets %s',
  (kind) => {
    test('push: stored once', async () => {
      const connector = await connect();
      const { proxy } = await on('high');
      const fault = proxy.plan(kind, containing('"id":"a"'));
      await insist(() => connector.push('high', [job('a')]));
      await within(fault.happened, kind);
      expect(await insist(() => connector.size('high'))).toEqual({ ...empty, ready: 1 });
    });

    test('reserve: nothing is lost, and what was taken unheard comes back with its lease', async () => {
      const connector = await connect();
      for (const queue of ['high', 'low']) await connector.push(queue, [job(queue)]);
      const { proxy } = await on('high');
      const fault = proxy.plan(kind, (asked) => asked.includes('evalsha') && asked.includes('60000'));
      const taken = await insist(() => connector.reserve(['high', 'low'], 10, 60_000));
      await within(fault.happened, kind);
      await cluster.advance(61_000);
      const rest = await insist(() => connector.reserve(['high', 'low'], 10, 60_000));
      expect(new Set(idsOf([...taken, ...rest]))).toEqual(new Set(['high', 'low']));
    });

    test('delete: done once, whatever was heard of it', async () => {
      const connector = await connect();
      await connector.push('high', [job('a')]);
      const [held] = await connector.reserve(['high'], 1, 60_000);
      const { proxy } = await on('high');
      const fault = proxy.plan(kind, containing('"id":"a"'));
      await insist(() => connector.delete(held ? [held.lease] : []));
      await within(fault.happened, kind);
      expect(await insist(() => connector.size('high'))).toEqual(empty);
    });
  },
);

test('a master in a black hole holds up its own queues, and only until it is there again', async () => {
  const connector = await connect();
  for (const queue of ['high', 'low']) await connector.push(queue, [job(queue)]);
  const { proxy } = await on('high');
  proxy.blackHole();
  expect(await errorOf(connector.push('high', [job('lost')]))).toMatchObject({ transient: true });
  expect(idsOf(await connector.reserve(['low'], 10, 60_000))).toEqual(['low']);
  proxy.heal();
  const held = await insist(() => connector.reserve(['high'], 10, 60_000));
  expect(idsOf(held).filter((id) => id !== 'lost')).toEqual(['high']);
});

test('connections that are cut are made anew', async () => {
  const connector = await connect();
  await connector.push('high', [job('a')]);
  for (const proxy of proxies.values()) proxy.cut();
  expect(await insist(() => connector.size('high'))).toEqual({ ...empty, ready: 1 });
});

test('a full master refuses pushes to its own queues and can be drained', async () => {
  const connector = await connect();
  for (const queue of ['high', 'low']) await connector.push(queue, [job(queue)]);
  const { node } = await on('high');
  await node.client.config('SET', 'maxmemory', '1');
  expect(await errorOf(connector.push('high', [job('more')]))).toMatchObject({
    code: 'E_STORE_FULL',
    ambiguous: false,
  });
  expect(await connector.push('low', [job('more')])).toEqual(['stored']);
  const held = await connector.reserve(['high', 'low'], 10, 60_000);
  expect(idsOf(held)).toEqual(['high', 'low', 'more']);
  expect(await connector.delete(held.map(({ lease }) => lease))).toEqual([true, true, true]);
  await node.client.config('SET', 'maxmemory', '0');
});

test('a master that is busy with a script is unavailable until that is over', async () => {
  const connector = await connect();
  const { node } = await on('high');
  await node.client.config('SET', 'busy-reply-threshold', '10');
  const endless = node.client.duplicate();
  endless.on('error', () => {});
  const ended = endless.eval('while true do end', 0).catch(() => undefined);
  let error: unknown;
  while (error === undefined) {
    error = await connector.size('high').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  }
  expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
  await node.client.script('KILL');
  await ended;
  endless.disconnect();
  expect(await insist(() => connector.push('high', [job('a')]))).toHaveLength(1);
  expect(await connector.size('high')).toEqual({ ...empty, ready: 1 });
});

test('a master that has all the clients that it may is tried again until there is room', async () => {
  const connector = await connect();
  const { node, proxy } = await on('high');
  await node.client.config('SET', 'maxclients', '1');
  proxy.cut();
  expect(await errorOf(connector.push('high', [job('a')]))).toMatchObject({ transient: true });
  await node.client.config('SET', 'maxclients', '1000');
  expect(await insist(() => connector.push('high', [job('a')]))).toHaveLength(1);
  expect(await connector.size('high')).toEqual({ ...empty, ready: 1 });
});

test('something else under a key is told as that, and stays; other queues go on', async () => {
  const connector = await connect();
  const { node } = await on('high');
  await node.client.set('{queues:high}', 'theirs');
  expect(await errorOf(connector.push('high', [job('a')]))).toMatchObject({
    code: 'E_STORE_SCHEMA',
    transient: false,
  });
  expect(await connector.push('low', [job('a')])).toEqual(['stored']);
  expect(await node.client.get('{queues:high}')).toBe('theirs');
});

test('a master that is killed and started again has every push that was accepted, with appendfsync always', async () => {
  const connector = await connect();
  const accepted: string[] = [];
  const open: string[] = [];
  const stop = new AbortController();
  const pushing = (async () => {
    for (let count = 0; !stop.signal.aborted; count += 1) {
      await connector.push('high', [job(`j${count}`)]).then(
        () => accepted.push(`j${count}`),
        async (error: QueueError) => {
          expect(error).toMatchObject({ transient: true });
          if (error.ambiguous) open.push(`j${count}`);
          await pause(20);
        },
      );
    }
  })();
  while (accepted.length < 100) await pause(5);
  const { node } = await on('high');
  await node.crash();
  await node.restart();
  const before = accepted.length;
  while (accepted.length < before + 50) await pause(5);
  stop.abort();
  await pushing;
  await cluster.untilOk();
  const ids = idsOf(await insist(() => connector.reserve(['high'], 100_000, 60_000)));
  expect(new Set(ids).size).toBe(ids.length);
  expect(accepted.filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids.filter((id) => !accepted.includes(id) && !open.includes(id))).toEqual([]);
});

test('a master that evicts is told by the doctor', async () => {
  const connector = await connect();
  const { node } = await on('low');
  await node.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const findings = await connector.diagnose();
  expect(findings.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toContain('eviction');
  await node.client.config('SET', 'maxmemory-policy', 'noeviction');
});
