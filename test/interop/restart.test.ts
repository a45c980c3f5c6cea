import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, restartKey, silentLogger, systemClock } from '../../src/index.js';
import { CliProject } from '../support/cli.js';
import { golden } from '../support/golden.js';
import { emulatedPhp } from '../support/php.js';
import { besideJobs, type RedisServer, startRedis } from '../support/redis-server.js';
import { ThinkQueue3 } from '../support/think-queue-3.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const job = "import { defineJob } from 'drover';\nexport default defineJob({ name: 'x', handle() {} });\n";

let server: RedisServer;
const opened: Connector[] = [];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => server.client.flushall());
afterEach(async () => {
  for (const connector of opened.splice(0)) await connector.close();
});

function connect(options: object): Connector {
  const connector = redis({ url: server.url, ...options }).connect(context);
  opened.push(connector);
  return connector;
}

/** What stands under a key of a database. */
async function valueIn(db: number, key: string): Promise<string | null> {
  const client = server.client.duplicate({ db });
  const value = await client.get(key);
  client.disconnect();
  return value;
}

describe('the cache of PHP is in database 3 and has the prefix tp:', () => {
  let project: CliProject;
  beforeEach(() => {
    const main = { driver: 'redis', url: server.url, signals: { db: 3, prefix: 'tp:' } };
    project = new CliProject({
      'drover.config.json': JSON.stringify({ connections: { main }, jobs: './jobs/*.mjs' }),
      'jobs/x.mjs': job,
    });
  });
  afterEach(() => project.remove());

  test('php think queue:restart stops a worker, which exits 0', async () => {
    const worker = project.start(['work', '--json']);
    await project.push('x');
    await worker.line({ event: 'job:done' });
    const cache = server.client.duplicate({ db: 3 });
    await new ThinkQueue3(cache, emulatedPhp).restart('tp:');
    cache.disconnect();
    const { code, lines } = await worker.exited;
    expect(code).toBe(0);
    expect(lines).toContainEqual(expect.objectContaining({ event: 'worker:stopped', reason: 'restart' }));
  });

  test('drover queue:restart writes what PHP reads', async () => {
    await project.must('queue:restart');
    const { cases } = golden<{
      readonly cases: readonly { readonly encoding?: string; readonly ttl?: number }[];
    }>('queue-restart');
    expect(cases[0]).toMatchObject({
      key_with_prefix: '<cache prefix>think:queue:restart',
      encoding: 'decimal digits',
      ttl: -1,
    });
    expect(await valueIn(3, 'tp:think:queue:restart')).toMatch(/^\d{10}$/);
    const cache = server.client.duplicate({ db: 3 });
    expect([
      await cache.ttl('tp:think:queue:restart'),
      (await cache.keys('*')).filter((key) => !besideJobs.test(key)),
    ]).toEqual([-1, ['tp:think:queue:restart']]);
    cache.disconnect();
    expect(await server.keys()).toEqual([]);
  });
});

test.each<[string, object, number, string]>([
  ['nothing', {}, 0, ''],
  ['the connection’s prefix and database', { prefix: 'app:', db: 2 }, 2, 'app:'],
  ['a prefix of its own', { prefix: 'app:', db: 2, signals: { prefix: 'tp:' } }, 2, 'tp:'],
  ['no prefix', { prefix: 'app:', signals: { prefix: '' } }, 0, ''],
  ['a database of its own', { prefix: 'app:', db: 2, signals: { db: 3 } }, 3, 'app:'],
  ['database 0', { db: 2, signals: { db: 0 } }, 0, ''],
])('with %s the signal is where it says', async (_, options, db, prefix) => {
  const { signals } = connect(options);
  await signals?.write(restartKey, '1750000000');
  expect(await valueIn(db, `${prefix}think:queue:restart`)).toBe('1750000000');
  expect(await signals?.read(restartKey)).toBe('1750000000');
});

test('a server of its own: a cache that drops keys is none to warn of, and is left when the connection closes', async () => {
  const cache = await startRedis('--maxmemory-policy', 'allkeys-lru', '--requirepass', 'CANARY');
  const warned: string[] = [];
  const logger = { ...silentLogger, warn: (_: unknown, text: string) => void warned.push(text) };
  const url = `redis://:CANARY@127.0.0.1:${cache.port}/3`;
  const { client } = server;
  for (const place of [{ url: server.url }, { client }]) {
    const connector = redis({ ...place, signals: { url } }).connect({ ...context, logger });
    await connector.signals?.write(restartKey, '1');
    await connector.close();
    await expect(connector.signals?.read(restartKey)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
  }
  await cache.client.select(3);
  expect(await cache.client.keys('*')).toEqual([restartKey]);
  expect(await server.keys()).toEqual([]);
  expect(warned).toEqual([]);
  const left = String(await cache.client.client('LIST'))
    .trim()
    .split('\n');
  expect(left.filter((line) => line.includes('name=drover'))).toEqual([]);
  await cache.stop();
});

test.each<[unknown, string]>([
  ['tp:', 'signals: is not an object'],
  [[], 'signals: is not an object'],
  [{ database: 3 }, 'signals: there is no option database'],
  [{ db: -1 }, 'signals.db: is not the number of a database'],
  [{ db: '3' }, 'signals.db: is not the number of a database'],
  [{ prefix: 'a b' }, 'signals.prefix: is not a text without blanks and braces'],
  [{ url: 'http://:CANARY@h' }, 'signals.url: http: is no protocol of Redis'],
])('signals %j is refused', (signals, message) => {
  const make = () => redis({ url: server.url, signals } as object);
  expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }));
});

test('a database beside a ready client is refused', () => {
  const make = () => redis({ client: server.client, signals: { db: 3 } });
  expect(make).toThrow(
    expect.objectContaining({ code: 'E_CONFIG', message: 'signals.db: cannot be set beside client' }),
  );
});
