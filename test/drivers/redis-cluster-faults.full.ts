import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, type QueueError, silentLogger, systemClock } from '../../src/index.js';
import { failedRecord } from '../conformance/steps.js';
import {
  idOf,
  meet,
  moveSlot,
  type RedisCluster,
  startNode,
  startRedisCluster,
} from '../support/redis-cluster.js';
import { errorOf, insist } from '../support/redis-refusals.js';
import type { RedisServer } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };

let cluster: RedisCluster;
const opened: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster?.stop());
beforeEach(() => cluster.flush());
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

function connect(options: Partial<RedisOptions> = {}, at = cluster): Connector {
  const connector = redis({ cluster: at.seeds, ...options }).connect(context);
  opened.push(connector);
  return connector;
}

function job(id: string) {
  return { id, body: `{"job":"mail","data":null,"id":"${id}","attempts":0}` };
}

/** Where a queue is, where it could go, and its slot. */
async function routeOf(queue: string): Promise<[number, RedisServer, RedisServer]> {
  const key = `{queues:${queue}}`;
  const from = await cluster.nodeOf(key);
  const to = cluster.nodes.find((node) => node !== from) as RedisServer;
  return [Number(await from.client.call('CLUSTER', 'KEYSLOT', key)), from, to];
}

describe('a slot that moves', () => {
  test('while jobs are pushed, reserved and deleted: each is worked once', async () => {
    const pusher = connect();
    const worker = connect();
    const pushed: string[] = [];
    const worked: string[] = [];
    let isMoving = true;
    let isPushing = true;
    const pushing = (async () => {
      while (isMoving) {
        const id = `job-${pushed.length}`;
        await insist(() => pusher.push('q', [{ ...job(id), unique: true }]));
        pushed.push(id);
      }
      isPushing = false;
    })();
    const working = (async () => {
      while (isPushing || worked.length < pushed.length) {
        const jobs = await insist(() => worker.reserve(['high', 'q'], 5, 60_000));
        const held = await insist(() => worker.delete(jobs.map(({ lease }) => lease)));
        expect(held).toEqual(jobs.map(() => true));
        worked.push(...jobs.map(({ id }) => id));
      }
    })();
    let [slot, from, to] = await routeOf('q');
    for (let turn = 0; turn < 10; turn += 1) {
      const before = pushed.length;
      await moveSlot(slot, from, to, () => pause(30));
      [from, to] = [to, from];
      while (pushed.length < before + 5) await pause(5);
    }
    isMoving = false;
    await Promise.all([pushing, working]);
    expect(worked).toEqual(pushed);
    expect(await worker.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });

  test('a job that was reserved at the old node is settled at the new one', async () => {
    const connector = connect();
    await connector.push('q', [job('a'), job('b')]);
    const held = await connector.reserve(['q'], 2, 60_000);
    await moveSlot(...(await routeOf('q')));
    expect(await connector.delete(held.map(({ lease }) => lease))).toEqual([true, true]);
    await moveSlot(...(await routeOf('q')));
    expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });

  test('a call that comes in between waits for the end', async () => {
    const connector = connect();
    await connector.push('q', [job('a')]);
    let waiting: Promise<unknown> | undefined;
    await moveSlot(...(await routeOf('q')), async () => {
      waiting = connector.push('q', [job('b')]);
      await pause(100);
    });
    expect(await waiting).toEqual(['stored']);
    expect((await connector.reserve(['q'], 5, 60_000)).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('one that takes too long is told as what it is, and nothing was done', async () => {
    const connector = connect({ commandTimeout: 0.4 });
    await connector.push('q', [job('a')]);
    const route = await routeOf('q');
    await moveSlot(...route, async () => {
      const error = await errorOf(connector.push('q', [job('b')]));
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
      expect(error.message).toContain('is giving this slot to another node');
    });
    expect((await connector.reserve(['q'], 5, 60_000)).map(({ id }) => id)).toEqual(['a']);
  });

  test('no script ends half-way, though all its keys are still there', async () => {
    const connector = connect({ commandTimeout: 0.4 });
    // Something in each of the five keys, and one reserved job: to extend is to take it out and put it back.
    await connector.push('q', [{ ...job('a'), unique: true }, job('b'), { ...job('c'), delayMs: 60_000 }]);
    await connector.push('q', [{ id: 'odd', body: 'odd', delayMs: 60_000 }]);
    const [held] = await connector.reserve(['q'], 1, 60_000);
    const leases = held ? [held.lease] : [];
    await moveSlot(...(await routeOf('q')), async () => {
      const error = await errorOf(connector.extend(leases, 60_000));
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    });
    expect(await connector.size('q')).toEqual({ ready: 1, delayed: 2, reserved: 1 });
    expect(await connector.extend(leases, 60_000)).toEqual([true]);
  });

  test('what is read is asked for where it is', async () => {
    const connector = connect({ commandTimeout: 0.4 });
    const key = 'think:queue:restart';
    const from = await cluster.nodeOf(key);
    const to = cluster.nodes.find((node) => node !== from) as RedisServer;
    const slot = Number(await from.client.call('CLUSTER', 'KEYSLOT', key));
    await moveSlot(slot, from, to, async () => {
      expect(await connector.signals?.read(key)).toBeNull(); // neither here nor there
      await connector.signals?.write(key, '7');
      expect(await connector.signals?.read(key)).toBe('7');
      expect(await from.client.exists(key).catch(() => 'not here')).toBe('not here');
    });
    expect(await connector.signals?.read(key)).toBe('7');
  });

  test('failed jobs are listed and recorded on the way', async () => {
    const connector = connect();
    const store = connector.failedJobs;
    const records = ['a', 'b'].map((id) => failedRecord({ id, queue: 'q', body: '{}', attempts: 1 }));
    await store?.record(records.slice(0, 1));
    const from = await cluster.nodeOf('{drover}');
    const to = cluster.nodes.find((node) => node !== from) as RedisServer;
    let late: Promise<void> | undefined;
    await moveSlot(Number(await from.client.call('CLUSTER', 'KEYSLOT', '{drover}')), from, to, async () => {
      expect(await store?.list()).toEqual(records.slice(0, 1));
      late = store?.record(records.slice(1));
    });
    await late;
    expect((await store?.list())?.map(({ uuid }) => uuid).sort()).toEqual(
      records.map(({ uuid }) => uuid).sort(),
    );
  });
});

describe('a master that is away', () => {
  test('and a Cluster that is down for it, are unavailable for a while', async () => {
    const connector = connect({ commandTimeout: 1 });
    for (const queue of ['low', 'high', 'other']) await connector.push(queue, [job(queue)]);
    const hung = await cluster.nodeOf('{queues:high}');
    hung.process.kill('SIGSTOP');
    const lost = await errorOf(connector.push('high', [job('lost')]));
    expect(lost).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: true });
    // Before the others notice, the queues that they have go on; the one that is away is passed over.
    const errors: QueueError[] = [];
    while (!errors.some(({ message }) => message.includes('CLUSTERDOWN'))) {
      await connector.size('low').catch((error) => errors.push(error));
    }
    for (const error of errors)
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(errors.at(-1)?.message).toContain('has no master for this slot');
    hung.process.kill('SIGCONT');
    await cluster.untilOk();
    const held = await insist(() => connector.reserve(['low', 'high', 'other'], 10, 60_000));
    const ids = held.map(({ id }) => id).filter((id) => id !== 'lost');
    expect(ids).toEqual(['low', 'high', 'other']);
    expect(held.length - ids.length).toBeLessThanOrEqual(1);
  });

  test('holds up its own queues only', async () => {
    const connector = connect({ commandTimeout: 0.3 });
    const needAll = (all: 'yes' | 'no') =>
      Promise.all(
        cluster.nodes.map(({ client }) => client.config('SET', 'cluster-require-full-coverage', all)),
      );
    await needAll('no');
    for (const queue of ['low', 'high']) await connector.push(queue, [job(queue)]);
    const hung = await cluster.nodeOf('{queues:high}');
    hung.process.kill('SIGSTOP');
    const held = await connector.reserve(['high', 'low'], 10, 60_000);
    expect(held.map(({ id }) => id)).toEqual(['low']);
    hung.process.kill('SIGCONT');
    await cluster.untilOk();
    await needAll('yes');
    expect(await insist(() => connector.delete(held.map(({ lease }) => lease)))).toEqual([true]);
  });

  test('is replaced by its replica, and the same connection goes on there', async () => {
    const own = await startRedisCluster();
    opened.push({ close: () => own.stop() });
    const master = await own.nodeOf('{queues:high}');
    const replica = await replicaOf(own, master);
    opened.push({ close: () => replica.stop() });
    const connector = connect({}, own);
    await connector.push('high', [job('a'), job('b')]);
    const [first] = await connector.reserve(['high'], 1, 60_000);
    // What was not replicated is lost with the master: wait until it is. WAIT is about its own client's writes.
    await master.client.set('{queues:high}:last', '1');
    await master.client.del('{queues:high}:last');
    expect(await master.client.wait(1, 10_000)).toBe(1);
    master.process.kill('SIGKILL');
    const refusals: QueueError[] = [];
    await insist(() => connector.size('high'), refusals);
    expect(refusals.length).toBeGreaterThan(0);
    await insist(() => connector.push('high', [{ ...job('c'), unique: true }]));
    const held = await insist(() => connector.reserve(['high'], 10, 60_000));
    expect(held.map(({ id }) => id)).toEqual(['b', 'c']);
    const leases = [first, ...held].flatMap((one) => (one ? [one.lease] : []));
    expect(await insist(() => connector.delete(leases))).toEqual([true, true, true]);
    expect(await replica.client.dbsize()).toBe(0);
  }, 90_000); // a vote that fails for a busy machine is repeated every 4 s
});

/** Adds a replica to a master and waits until it follows. */
async function replicaOf(own: RedisCluster, master: RedisServer): Promise<RedisServer> {
  const replica = await startNode();
  await meet(master, replica);
  const id = await idOf(master);
  await replica.client.call('CLUSTER', 'REPLICATE', id);
  while (!(await replica.client.info('replication')).includes('master_link_status:up')) await pause(20);
  // The other masters vote for it, so they must have heard of it.
  const replicaId = await idOf(replica);
  for (const { client } of own.nodes) {
    for (;;) {
      const nodes = String(await client.call('CLUSTER', 'NODES')).split('\n');
      if (nodes.some((line) => line.startsWith(replicaId) && line.includes(`slave ${id}`))) break;
      await pause(20);
    }
  }
  return replica;
}
