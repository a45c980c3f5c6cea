import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serverFindings } from '../../drivers/redis/diagnosis-rules.js';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, type Finding, silentLogger } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const opened: Connector[] = [];
const servers: RedisServer[] = [];
let server: RedisServer;

beforeAll(async () => {
  server = await start('--appendonly', 'yes');
});

afterEach(() => Promise.all(opened.splice(0).map((connector) => connector.close())));

afterAll(() => Promise.all(servers.map((one) => one.stop())));

async function start(...flags: readonly string[]): Promise<RedisServer> {
  const one = await startRedis(...flags);
  servers.push(one);
  return one;
}

async function diagnose(options: RedisOptions, clockMs?: number): Promise<Finding[]> {
  const connector = redis(options).connect({
    connection: 'redis',
    clock: { now: () => clockMs ?? Date.now() },
    logger: silentLogger,
    runInline: async () => {},
  });
  opened.push(connector);
  return (await connector.diagnose?.()) ?? [];
}

function of(check: string, findings: readonly Finding[]): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

test('all is well', async () => {
  const findings = await diagnose({ url: server.url });
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
    'version ok',
    'role ok',
    'eviction ok',
    'memory ok',
    'persistence ok',
    'clock ok',
    'tls ok',
  ]);
});

test('it writes no key', async () => {
  await diagnose({ url: server.url });
  expect(await server.client.dbsize()).toBe(0);
});

describe('settings that lose jobs', () => {
  const set = (name: string, value: string) => server.client.config('SET', name, value);

  test('a policy that evicts queues: a warning, and an error once there is a limit', async () => {
    await set('maxmemory-policy', 'allkeys-lru');
    expect(of('eviction', await diagnose({ url: server.url }))).toMatchObject({ status: 'warning' });
    await set('maxmemory', '200mb');
    expect(of('eviction', await diagnose({ url: server.url }))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('allkeys-lru'),
      fix: expect.stringContaining('maxmemory-policy noeviction'),
    });
    await set('maxmemory-policy', 'volatile-lru');
    expect(of('eviction', await diagnose({ url: server.url }))).toMatchObject({ status: 'ok' });
    await set('maxmemory-policy', 'noeviction');
    await set('maxmemory', '0');
    expect(of('eviction', await diagnose({ url: server.url }))).toMatchObject({ status: 'ok' });
  });

  test('a server that is nearly full', async () => {
    const [, used = '0'] = /^used_memory:(\d+)/m.exec(await server.client.info('memory')) ?? [];
    await set('maxmemory', used);
    expect(of('memory', await diagnose({ url: server.url }))).toMatchObject({ status: 'warning' });
    await set('maxmemory', String(Number(used) * 10));
    expect(of('memory', await diagnose({ url: server.url }))).toMatchObject({ status: 'ok' });
    await set('maxmemory', '0');
  });

  test('no persistence, or snapshots only', async () => {
    const bare = await start();
    expect(of('persistence', await diagnose({ url: bare.url }))).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('appendonly yes'),
    });
    await bare.client.config('SET', 'save', '3600 1');
    expect(of('persistence', await diagnose({ url: bare.url }))).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('snapshot'),
    });
  });

  test('a save that failed', async () => {
    const broken = await start('--dbfilename', 'dump.rdb');
    // A folder where its file shall be: the save cannot put it there.
    await broken.client.set('a', '1');
    const [, folder = ''] = (await broken.client.config('GET', 'dir')) as string[];
    mkdirSync(`${folder}/dump.rdb/in-the-way`, { recursive: true });
    await expect(broken.client.save()).rejects.toThrow();
    await broken.client.bgsave();
    await expect
      .poll(async () => /^rdb_last_bgsave_status:err/m.test(await broken.client.info('persistence')))
      .toBe(true);
    expect(of('persistence', await diagnose({ url: broken.url }))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('failed'),
    });
  });
});

test('a replica', async () => {
  const replica = await start();
  await replica.client.replicaof('127.0.0.1', server.port);
  expect(of('role', await diagnose({ url: replica.url }))).toMatchObject({
    status: 'error',
    fix: expect.stringContaining('master'),
  });
});

test('a clock that is off', async () => {
  const now = Date.now();
  expect(of('clock', await diagnose({ url: server.url }, now + 60_000))).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/(?:60|59)(?:\.\d+)? s behind/),
  });
  expect(of('clock', await diagnose({ url: server.url }, now - 60_000))).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/ahead of/),
  });
});

test('a user without the right to ask: said, and no error', async () => {
  await server.client.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '~*', '+ping', '+select', '+client');
  const findings = await diagnose({ url: server.url, user: 'narrow', password: 'pw' });
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(['rights warning', 'tls ok']);
  await server.client.call('ACL', 'SETUSER', 'narrow', '+info', '+time');
  const more = await diagnose({ url: server.url, user: 'narrow', password: 'pw' });
  expect(more.filter(({ status }) => status !== 'ok')).toEqual([]);
});

test('a server that is too old, which none here is', () => {
  const version = (text: string) =>
    serverFindings({ info: new Map([['redis_version', text]]), saves: undefined })[0]?.status;
  expect(['5.0.14', '6.0.16', '6.2.0', '7.0.15', '8.2.1'].map(version)).toEqual([
    'error',
    'error',
    'ok',
    'ok',
    'ok',
  ]);
});
