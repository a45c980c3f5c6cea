import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, createQueue, defineJob, silentLogger, systemClock } from '../../src/index.js';
import { failedRecord } from '../conformance/steps.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { errorOf } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };

/** One queue on each master. */
const queues = ['low', 'high', 'other'] as const;

let cluster: RedisCluster;
const opened: Connector[] = [];
beforeAll(async () => {
  cluster = await startRedisCluster();
  const ports = await Promise.all(
    queues.map(async (queue) => (await cluster.nodeOf(`{queues:${queue}}`)).port),
  );
  expect(new Set(ports).size).toBe(3);
});
afterAll(() => cluster?.stop());
beforeEach(() => cluster.flush());
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function connect(options: Partial<RedisOptions> = { cluster: cluster.seeds }): Connector {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector;
}

function job(id: string) {
  return { id, body: `{"job":"mail","data":null,"id":"${id}","attempts":0}` };
}

/** How many scripts each master has run. */
async function scriptsRun(): Promise<number[]> {
  return Promise.all(
    cluster.nodes.map(async ({ client }) => {
      const [, calls = '0'] = /cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats')) ?? [];
      return Number(calls);
    }),
  );
}

describe('queues on different masters', () => {
  test('many jobs of a call are stored in their order', async () => {
    const connector = connect();
    const jobs = Array.from({ length: 600 }, (_, index) => job(String(1000 + index)));
    for (const queue of [...queues, ...queues]) await connector.push(queue, jobs);
    for (const queue of queues) {
      const held = await connector.reserve([queue], 1200, 60_000);
      expect(held.map(({ id }) => id)).toEqual([...jobs, ...jobs].map(({ id }) => id).slice(0, held.length));
      expect(held.length).toBeGreaterThan(99);
    }
  });

  test('long jobs of a first queue, in whatever parts they come, come before those of a second', async () => {
    const connector = connect();
    const jobs = Array.from({ length: 61 }, (_, at) => {
      const [id, text] = [String(1000 + at), 'x'.repeat(69_000)];
      return { id, body: `{"job":"mail","data":"${text}","id":"${id}","attempts":0}` };
    });
    await connector.push('high', jobs);
    await connector.push('low', [job('low')]);
    expect(await connector.reserve(['high'], 1, 60_000)).toHaveLength(1); // that it has more is likely now
    const held = await connector.reserve(['high', 'low'], 40, 60_000);
    expect(held.map(({ id }) => id)).toEqual(jobs.slice(1, 41).map(({ id }) => id));
  });

  test('one call reserves by priority, and settles each answer in its place', async () => {
    const connector = connect();
    for (const queue of queues) await connector.push(queue, [job(`${queue}-1`), job(`${queue}-2`)]);
    const held = await connector.reserve(queues, 5, 60_000);
    expect(held.map(({ id }) => id)).toEqual(['low-1', 'low-2', 'high-1', 'high-2', 'other-1']);
    const [low1, low2, high1, high2, other1] = held.map(({ lease }) => lease) as [
      never,
      never,
      never,
      never,
      never,
    ];
    await connector.delete([low1, other1]);
    expect(await connector.extend([low1, other1, high1, low2], 60_000)).toEqual([false, false, true, true]);
    const releases = [low1, high2, low2].map((lease) => ({ lease, delayMs: 60_000 }));
    expect(await connector.release(releases)).toEqual([false, true, true]);
    expect(await connector.unreserve?.([other1, high1])).toEqual([false, true]);
    expect(await connector.delete([high1, low2])).toEqual([false, false]);
    expect(await connector.delete([])).toEqual([]);
    expect(await Promise.all(queues.map((queue) => connector.size(queue)))).toEqual([
      { ready: 0, delayed: 1, reserved: 0 },
      { ready: 1, delayed: 1, reserved: 0 },
      { ready: 1, delayed: 0, reserved: 0 },
    ]);
  });

  test('a reserve that is full asks no further node', async () => {
    const connector = connect();
    await connector.push('low', [job('a'), job('b')]);
    const before = await scriptsRun();
    expect(await connector.reserve(queues, 2, 60_000)).toHaveLength(2);
    const ran = (await scriptsRun()).map((calls, index) => calls - (before[index] ?? 0));
    expect(ran.reduce((sum, calls) => sum + calls)).toBe(1);
  });

  test('one that is refused leaves the outcome of all open, and the rest are settled', async () => {
    const connector = connect();
    for (const queue of queues) await connector.push(queue, [job(queue)]);
    const leases = (await connector.reserve(queues, 3, 60_000)).map(({ lease }) => lease);
    const { client } = await cluster.nodeOf('{queues:high}');
    await client.set('{queues:high}:ids', 'theirs');
    const error = await errorOf(connector.delete(leases));
    expect(error).toMatchObject({ code: 'E_STORE_SCHEMA', transient: false, ambiguous: true });
    await client.del('{queues:high}:ids');
    expect(await connector.delete(leases)).toEqual([false, expect.any(Boolean), false]);
  });

  test('jobs that were taken are handed out though a later queue is refused', async () => {
    const connector = connect();
    await connector.push('low', [job('a')]);
    await (await cluster.nodeOf('{queues:high}')).client.set('{queues:high}', 'theirs');
    expect((await connector.reserve(['low', 'high'], 5, 60_000)).map(({ id }) => id)).toEqual(['a']);
    expect(await errorOf(connector.reserve(['low', 'high'], 5, 60_000))).toMatchObject({
      code: 'E_STORE_SCHEMA',
    });
  });

  test('scripts that one node has lost are sent to it again', async () => {
    const connector = connect();
    for (const queue of queues) await connector.push(queue, [job(queue)]);
    await cluster.nodes[1]?.client.script('FLUSH');
    for (const queue of queues) expect(await connector.push(queue, [job(`${queue}-2`)])).toEqual(['stored']);
  });
});

describe('a diagnosis', () => {
  const findings = async (options?: Partial<RedisOptions>) => (await connect(options).diagnose?.()) ?? [];
  const evictions = (found: Awaited<ReturnType<typeof findings>>) =>
    found.filter(({ check }) => check === 'eviction').map(({ status, message }) => `${status} ${message}`);

  test('tells once what all masters say alike', async () => {
    const found = await findings();
    expect(evictions(found)).toEqual(['ok maxmemory-policy noeviction']);
    expect(found.filter(({ check }) => check === 'persistence')).toHaveLength(1);
  });

  test.each([
    ['asks each master', undefined],
    ["asks each by the application's own client", () => new Cluster([...cluster.seeds])],
  ])('%s', async (_, open) => {
    const client = open?.();
    onTestFinished(() => client?.disconnect());
    const [first, second, third] = cluster.nodes as [RedisServer, RedisServer, RedisServer];
    await second.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    onTestFinished(async () => {
      await second.client.config('SET', 'maxmemory-policy', 'noeviction');
    });
    const fine = ({ port }: RedisServer) => `ok 127.0.0.1:${port}: maxmemory-policy noeviction`;
    const wanted = `warning 127.0.0.1:${second.port}: maxmemory-policy allkeys-lru drops whole queues once a maxmemory is set`;
    const told = evictions(await findings(client && { client }));
    expect(new Set(told)).toEqual(new Set([fine(first), wanted, fine(third)]));
  });
});

describe('failed jobs, which are in another slot', () => {
  const mail = defineJob({
    name: 'mail',
    tries: 1,
    handle: ({ data }: { data: { fails: boolean } }) => {
      if (data.fails) throw new Error('refused');
    },
  });

  test('are recorded, then deleted, by a worker; and put back once', async () => {
    const connections = { main: redis({ cluster: cluster.seeds, queue: 'high' }) };
    const queue = createQueue({ connections, jobs: [mail] });
    await queue.push(mail, { fails: true }, { id: 'mine' });
    await queue.push(mail, { fails: true });
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(await queue.size('high')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    const failed = await queue.failed.list();
    expect(failed.map(({ message }) => message)).toEqual(['refused', 'refused']);
    expect((await queue.failed.retry(failed)).map(({ outcome }) => outcome)).toEqual(['retried', 'retried']);
    expect(await queue.failed.list()).toEqual([]);
    expect(await queue.size('high')).toMatchObject({ ready: 2 });
    await queue.close();
  });

  test('are not doubled after a retry that died before it removed the record', async () => {
    const connections = { main: redis({ cluster: cluster.seeds, queue: 'high' }) };
    const queue = createQueue({ connections, jobs: [mail] });
    await queue.push(mail, { fails: true });
    await queue.worker({ stopWhenEmpty: true }).run();
    const failed = await queue.failed.list();
    const left = failed.map((record) => ({ ...record }));
    await queue.failed.retry(failed);
    await connect().failedJobs?.record(left);
    expect((await queue.failed.retry(left)).map(({ outcome }) => outcome)).toEqual(['retried']);
    expect(await queue.failed.list()).toEqual([]);
    expect(await queue.size('high')).toMatchObject({ ready: 1 });
    await queue.close();
  });

  test('are found with the node asked first being any', async () => {
    for (const seed of cluster.seeds) {
      const connector = connect({ cluster: [seed] });
      const record = failedRecord({ id: `a-${seed.port}`, queue: 'q', body: '{}', attempts: 1 });
      await connector.failedJobs?.record([record]);
      expect(await connector.failedJobs?.find([record.jobId])).toEqual([record]);
    }
  });
});

describe("the application's own Cluster client", () => {
  test('is used by the same rules, and stays open', async () => {
    const own = new Cluster([...cluster.seeds], { lazyConnect: true, keyPrefix: 'own:' });
    const connector = connect({ client: own });
    expect(connector.fail).toBeUndefined();
    for (const queue of queues) await connector.push(queue, [job(queue)]);
    const held = await connector.reserve(queues, 5, 60_000);
    expect(held.map(({ id }) => id)).toEqual(queues);
    expect(await connector.delete(held.map(({ lease }) => lease))).toEqual([true, true, true]);
    await connector.signals?.write('think:queue:restart', '1');
    expect(await connector.signals?.read('think:queue:restart')).toBe('1');
    expect(
      await (await cluster.nodeOf('own:think:queue:restart')).client.get('own:think:queue:restart'),
    ).toBe('1');
    await connector.close();
    expect(await own.ping()).toBe('PONG');
    own.disconnect();
  });
});

describe('mistakes', () => {
  test('a URL that leads to a node of a Cluster', async () => {
    // Each of the three has some of these queues not.
    const connector = connect({ url: cluster.nodes[0]?.url ?? '' });
    const results = await Promise.allSettled(queues.map((queue) => connector.push(queue, [job('a')])));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(errors).toHaveLength(2);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'E_CONFIG', transient: false });
      expect(error.fix).toContain('cluster: [');
    }
  });

  test('a cluster that is one plain server', async () => {
    const plain = await startRedis();
    onTestFinished(() => plain.stop());
    const connector = connect({ cluster: [{ host: '127.0.0.1', port: plain.port }] });
    const error = await errorOf(connector.push('q', [job('a')]));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false });
    expect(error.message).toContain('is no node of a Redis Cluster');
  });

  test('after close nothing is sent', async () => {
    const connector = connect();
    const pending = connector.push('high', [job('a')]);
    await connector.close();
    expect(await pending).toEqual(['stored']);
    expect(await errorOf(connector.size('high'))).toMatchObject({ code: 'E_QUEUE_CLOSED' });
  });

  test.each<[string, unknown, string]>([
    ['no list', { cluster: {} }, 'cluster: is not a list'],
    ['no nodes', { cluster: [] }, 'cluster: is not a list'],
    ['no host', { cluster: [{ port: 1 }] }, 'cluster: has a node without host'],
    ['no port', { cluster: [{ host: 'h', port: 'x' }] }, 'cluster: h has no valid port'],
    [
      'a login in a node',
      { cluster: [{ host: 'h', password: 'CANARY' }] },
      'cluster: password of a node is not read',
    ],
    ['text', { cluster: ['h:1'] }, 'cluster: has something that is no node'],
    ['a URL beside it', { cluster: [{ host: 'h' }], url: 'redis://h' }, 'cluster: url cannot be set'],
    ['a database beside it', { cluster: [{ host: 'h' }], db: 1 }, 'cluster: db cannot be set'],
    [
      'a natMap',
      { cluster: [{ host: 'h' }], ioredis: { natMap: {} } },
      'cluster: ioredis.natMap cannot be set',
    ],
  ])('in the options: %s', (_, options, message) => {
    expect(() => redis(options as RedisOptions)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(message) }),
    );
  });
});
