import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, restartKey, silentLogger, systemClock } from '../../src/index.js';
import { endedJob, failedRecord } from '../conformance/steps.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { containing, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { freePort } from '../support/free-port.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { errorOf } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const opened: Connector[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function connect(options: string | RedisOptions): Connector {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector;
}

function job(id: string) {
  return { id, body: `{"job":"mail","data":null,"id":"${id}","attempts":0}` };
}

describe('TLS', () => {
  let certificates: Certificates;
  let open: RedisServer;
  let strict: RedisServer;
  const ports = { open: 0, strict: 0 };
  beforeAll(async () => {
    certificates = makeCertificates();
    ports.open = await freePort();
    open = await startRedis(...certificates.flags(ports.open));
    ports.strict = await freePort();
    // With TLS 1.3 the client learns too late what was amiss: sometimes it sees the connection drop first.
    strict = await startRedis(
      ...certificates.flags(ports.strict),
      '--tls-auth-clients',
      'yes',
      '--tls-protocols',
      'TLSv1.2',
    );
  });
  afterAll(async () => {
    await open?.stop();
    await strict?.stop();
    certificates?.remove();
  });

  test('rediss:// with the right authority works', async () => {
    const connector = connect({ url: `rediss://127.0.0.1:${ports.open}`, tls: { ca: certificates.ca } });
    await connector.push('q', [job('a')]);
    expect((await connector.reserve(['q'], 1, 60_000)).map(({ id }) => id)).toEqual(['a']);
  });

  test.each<[string, () => RedisOptions, string]>([
    ['an unknown authority', () => ({ url: `rediss://127.0.0.1:${ports.open}` }), 'not trusted (self-signed'],
    [
      'another name',
      () => ({ url: `rediss://localhost:${ports.open}`, tls: { ca: certificates.ca } }),
      'not trusted (Hostname/IP does not match',
    ],
    [
      'no certificate of our own where one is asked for',
      () => ({ url: `rediss://127.0.0.1:${ports.strict}`, tls: { ca: certificates.ca } }),
      'could not agree on TLS',
    ],
  ])('%s is a mistake of the config', async (_, options, message) => {
    const error = await errorOf(connect(options()).size('q'));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
    expect(error.message).toContain(message);
    expect(error.fix).toContain('ca');
  });

  test('a Cluster is followed over TLS', async () => {
    const tlsPorts = await Promise.all([freePort(), freePort(), freePort()]);
    const cluster = await startRedisCluster((index) => [
      ...certificates.flags(tlsPorts[index] ?? 0),
      ...['--tls-cluster', 'yes'],
    ]);
    onTestFinished(() => cluster.stop());
    const connector = connect({
      cluster: [{ host: '127.0.0.1', port: tlsPorts[0] ?? 0 }],
      tls: { ca: certificates.ca },
    });
    // One on each node.
    for (const queue of ['low', 'high', 'other'])
      expect(await connector.push(queue, [job(queue)])).toEqual(['stored']);
    expect(await connector.reserve(['low', 'high', 'other'], 3, 60_000)).toHaveLength(3);
  });

  test('on a port without TLS it is told in time', async () => {
    const error = await errorOf(
      connect({ url: `rediss://127.0.0.1:${open.port}`, commandTimeout: 0.3 }).size('q'),
    );
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(error.fix).toContain('speaks TLS');
  });

  test('redis:// on a port with TLS is told', async () => {
    const error = await errorOf(connect(`redis://127.0.0.1:${ports.open}`).size('q'));
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(error.fix).toContain('rediss://');
  });
});

/** The rights that docs/deployment.md lists, so that the page stays true. */
const rights = (() => {
  const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
  const [, text = ''] = /ACL SETUSER drover (on >secret[^`]+)```/.exec(page) ?? [];
  return text.replaceAll('\\\n', ' ').trim().split(/\s+/);
})();
const clusterRights = ['+cluster|slots', '+asking'];

describe('a user with the rights of the documents', () => {
  let server: RedisServer;
  let cluster: RedisCluster;
  let proxy: FaultProxy;
  beforeAll(async () => {
    [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
    proxy = await startFaultProxy(server.port);
    await server.client.call('ACL', 'SETUSER', 'drover', ...rights);
    for (const { client } of cluster.nodes) {
      await client.call('ACL', 'SETUSER', 'drover', ...rights, ...clusterRights);
    }
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
    await cluster?.stop();
  });

  const login = { user: 'drover', password: 'secret' };

  test('can do all that drover does, and shows its name', async () => {
    const warned = vi.spyOn(console, 'warn');
    const url = `redis://127.0.0.1:${proxy.port}`;
    const connector = connect({ url, ...login, connectionName: 'mailer' });
    await server.client.call('ACL', 'LOG', 'RESET');
    await useAllOf(connector, proxy);
    // What goes on without a right that it lacks says nothing else.
    const denied = (await server.client.call('ACL', 'LOG')) as unknown[];
    expect(denied.map(String).filter((one) => !one.includes('client|setinfo'))).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    expect(await server.client.client('LIST')).toMatch(/name=mailer .*user=drover/);
  });

  test('also on a Cluster', async () => {
    await useAllOf(connect({ cluster: cluster.seeds, ...login }));
  });

  test('and nothing else', async () => {
    const own = server.client.duplicate({ username: 'drover', password: 'secret', lazyConnect: true });
    for (const command of [['FLUSHALL'], ['KEYS', '*'], ['CONFIG', 'GET', '*'], ['GET', 'theirs']] as const) {
      const [name, ...args] = command;
      await expect(own.call(name, ...args)).rejects.toThrow('NOPERM');
    }
    own.disconnect();
  });

  test.each(rights.filter((right) => right.startsWith('+')))('cannot do without %s', async (right) => {
    const user = `without-${right.slice(1)}`;
    const others = rights.filter((other) => other !== right);
    await server.client.call('ACL', 'SETUSER', user, ...others);
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const connector = connect({ url: `redis://127.0.0.1:${proxy.port}`, user, password: 'secret' });
    const problems: string[] = [];
    await server.client.script('FLUSH');
    await server.client.call('ACL', 'LOG', 'RESET');
    await useAllOf(connector, proxy).catch((error) => problems.push(String(error)));
    const denied = (await server.client.call('ACL', 'LOG')) as unknown[];
    warned.mockRestore();
    expect([...problems, ...denied].length, right).toBeGreaterThan(0);
    await server.client.flushall();
  });
});

/**
 * Each verb in each form that sends commands of its own.
 *
 * @param proxy where the connector goes through one: it loses a push, which the driver then repeats.
 */
async function useAllOf(connector: Connector, proxy?: FaultProxy): Promise<void> {
  const { failedJobs, signals, statistics, history } = connector;
  const mine = { ...job('mine'), unique: true };
  await connector.push('q', [job('a'), mine, { id: 'odd', body: 'odd' }, { ...job('later'), delayMs: 1 }]);
  await connector.push('q', [mine, { ...job('d1'), delayMs: 60_000 }, { ...job('d2'), delayMs: 60_000 }]);
  while ((await connector.size('q')).delayed > 2); // until "later" is due
  const held = await connector.reserve(['q'], 3, 60_000);
  const leases = held.map(({ lease }) => lease);
  await connector.extend(leases, 60_000);
  await connector.release(leases.slice(0, 1).map((lease) => ({ lease, delayMs: 60_000 })));
  await connector.unreserve?.(leases.slice(1, 2));
  const again = await connector.reserve(['q'], 1, 60_000);
  const record = failedRecord(again[0] ?? { id: 'x', queue: 'q', body: '{}', attempts: 1 });
  const failures = again.map(({ lease }) => ({ lease, record }));
  if (connector.fail) await connector.fail(failures);
  else await failedJobs?.record([record]);
  await failedJobs?.list();
  await failedJobs?.find([record.jobId]);
  await failedJobs?.retry?.([record.uuid]);
  await failedJobs?.record([record]);
  await failedJobs?.forget([record.uuid]);
  await failedJobs?.flush();
  await connector.delete(leases.slice(2));
  await connector.push('q', [job('b')]);
  await connector.reserve(['q'], 10, 60_000);
  await connector.clear('q');
  await connector.clear('q', { reserved: true });
  await signals?.write(restartKey, '1');
  await signals?.read(restartKey);
  const live = { level: 'live', startMs: 60_000, source: 'a', queue: 'q', name: 'mail', body: '{}' } as const;
  await statistics?.put([live]);
  await statistics?.read({ fromMs: 0, untilMs: 120_000 });
  expect(await statistics?.replace([live], [{ ...live, level: 'minute', source: '' }])).toBe(true);
  await connector.push('q', [job('seen')]);
  expect(await connector.find?.('q', 'seen')).toMatchObject({ id: 'seen' });
  const end = endedJob({ jobId: 'seen' });
  await history?.add([end]);
  expect(await history?.list()).toEqual([end]);
  expect(await history?.find(['seen'])).toEqual([end]);
  expect(await history?.prune({ count: 0, sinceMs: 1 })).toBe(1);
  await connector.clear('q');
  // Waits as a worker does: it watches the queue, takes all that it can, and rouses another.
  await connector.waitForJob?.(['q'], 300, new AbortController().signal);
  await connector.push('q', [job('c')]);
  await connector.reserve(['q'], 1, 60_000);
  await connector.clear('q', { reserved: true });
  // One job a trip, of a queue that has more.
  await connector.push('q', [job('d'), job('e'), job('f')]);
  for (const id of ['d', 'e', 'f']) {
    expect(await connector.reserve(['q'], 1, 60_000)).toMatchObject([{ id }]);
  }
  await connector.clear('q', { reserved: true });
  // Once it is known that it may, by a transaction.
  const large = { id: 'large', body: job('large').body.replace('null', `"${'x'.repeat(20_000)}"`) };
  for (let times = 0; times < 3; times++) await connector.push('q', [large]);
  for (let times = 0; times < 2; times++) await connector.reserve(['q'], 1, 60_000);
  await connector.clear('q', { reserved: true });
  const lost = proxy?.plan('cut-before', containing('"id":"lost"'));
  expect(await connector.push('q', [job('lost')])).toEqual(['stored']);
  await lost?.happened;
  await connector.clear('q');
}
