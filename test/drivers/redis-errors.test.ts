import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { explain } from '../../drivers/redis/errors.js';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, type QueueError, silentLogger, systemClock } from '../../src/index.js';
import { errorOf } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(...flags: string[]): Promise<RedisServer> {
  const server = await startRedis(...flags);
  opened.push({ close: () => server.stop() });
  return server;
}

function connect(options: string | RedisOptions): Connector {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector;
}

function job(id: string, size = 10) {
  return { id, body: `{"job":"mail","data":"${'x'.repeat(size)}","id":"${id}","attempts":0}` };
}

test('a connection that is not made in time is told apart from one that is refused', () => {
  // Which comes first, this or the end of the command's own time, is up to the machine.
  const error = explain(
    Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }),
    'redis at there',
  );
  expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
  expect(error.message).toBe(
    'redis at there could not be reached in time; nothing was sent (connect ETIMEDOUT)',
  );
  expect(error.fix).toContain('speaks TLS');
});

describe('a full server', () => {
  test('refuses pushes and can be drained', async () => {
    const server = await start('--maxmemory-policy', 'noeviction');
    const connector = connect(server.url);
    await connector.push('q', [job('a'), job('b'), job('c'), { id: 'odd', body: 'odd' }]);
    await connector.push('q', [{ ...job('later'), delayMs: 1000 }]);
    await server.advance(2000);
    await server.client.config('SET', 'maxmemory', '1');
    expect(await errorOf(connector.push('q', [job('d')]))).toMatchObject({
      code: 'E_STORE_FULL',
      transient: true,
      ambiguous: false,
    });
    const again = { ...job('e'), delayMs: 5000, unique: true };
    expect(await errorOf(connector.push('q', [again]))).toMatchObject({ code: 'E_STORE_FULL' });
    const held = await connector.reserve(['q'], 10, 60_000);
    expect(held.map(({ id }) => id).slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(held.length).toBe(5);
    const leases = held.map(({ lease }) => lease);
    expect(await connector.extend(leases, 60_000)).toEqual(Array(5).fill(true));
    expect(await connector.unreserve?.(leases.slice(0, 1))).toEqual([true]);
    expect(await connector.release(leases.slice(1, 2).map((lease) => ({ lease, delayMs: 1000 })))).toEqual([
      true,
    ]);
    expect(await connector.delete(leases.slice(2))).toEqual([true, true, true]);
    await server.client.config('SET', 'maxmemory', '0');
    expect(await connector.size('q')).toEqual({ ready: 1, delayed: 1, reserved: 0 });
    expect(await connector.push('q', [again])).toEqual(['stored']);
  });
});

describe('what the server says', () => {
  test.each(['', ':delayed', ':reserved', ':ids', ':bodies'])(
    'something else under {queues:q}%s is E_STORE_SCHEMA, and stays',
    async (part) => {
      const server = await start();
      await server.client.set(`{queues:q}${part}`, 'theirs');
      const connector = connect(server.url);
      const jobs = [
        { ...job('a'), unique: true },
        { id: 'b', body: 'odd', delayMs: 5 },
      ];
      const call = part === ':reserved' ? connector.reserve(['q'], 1, 60_000) : connector.push('q', jobs);
      expect(await errorOf(call)).toMatchObject({
        code: 'E_STORE_SCHEMA',
        transient: false,
        ambiguous: false,
      });
      expect(await server.client.keys('*')).toEqual([`{queues:q}${part}`]);
    },
  );

  test('scripts that were flushed are sent again', async () => {
    const server = await start();
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    await server.client.script('FLUSH');
    expect(await connector.push('q', [job('b')])).toEqual(['stored']);
  });

  test.each([
    ['no password', {}],
    ['a wrong password', { password: 'CANARY' }],
    ['a wrong user', { user: 'nobody', password: 'CANARY' }],
  ])('%s is a mistake of the config, and is not shown', async (_, login) => {
    const server = await start('--requirepass', 'right');
    const connector = connect({ url: server.url, ...login });
    const error = await errorOf(connector.size('q'));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('CANARY');
    const good = connect(server.url.replace('//', '//:right@'));
    expect(await good.size('q')).toMatchObject({ ready: 0 });
  });

  test('errors carry no payload', async () => {
    const server = await start();
    await server.client.set('{queues:q}', 'theirs');
    const error = await errorOf(connect(server.url).push('q', [{ id: 'a', body: 'CANARY' }]));
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('CANARY');
  });

  test('a database that is not there', async () => {
    const server = await start();
    const error = await errorOf(connect({ url: server.url, db: 99 }).size('q'));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
  });
});

describe('a server that is away', () => {
  test('is told at once, and found again', async () => {
    const gone = await start();
    await gone.crash();
    const connector = connect(gone.url);
    const error = await errorOf(connector.push('q', [job('a')]));
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(error.message).toContain('ECONNREFUSED');
    await gone.restart();
    let outcomes: unknown;
    while (outcomes === undefined) outcomes = await connector.push('q', [job('a')]).catch(() => undefined);
    expect(outcomes).toEqual(['stored']);
    expect(await connector.size('q')).toMatchObject({ ready: 1 });
  });

  test('a connection that is cut is made anew', async () => {
    const server = await start();
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    await server.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    // The cut may be noticed before this call or by it; either way the one after that works.
    await connector.size('q').catch((error: QueueError) => expect(error.transient).toBe(true));
    expect(await connector.size('q')).toMatchObject({ ready: 1 });
  });

  test('a server that hangs is given up at the deadline, and nothing is sent a second time', async () => {
    const server = await start();
    const connector = connect({ url: server.url, commandTimeout: 0.3 });
    await connector.push('q', [job('a')]);
    server.process.kill('SIGSTOP');
    const error = await errorOf(connector.push('q', [job('b')]));
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: true });
    const next = await errorOf(connector.push('q', [job('c')]));
    expect(next.message).toContain('nothing was sent');
    expect(next.ambiguous).toBe(false);
    server.process.kill('SIGCONT');
    let size = { ready: 0 };
    while (size.ready === 0) size = await connector.size('q').catch(() => ({ ready: 0 }));
    expect(size.ready).toBeLessThanOrEqual(2);
    const held = await connector.reserve(['q'], 10, 60_000);
    expect(held.filter(({ id }) => id === 'b').length).toBeLessThanOrEqual(1);
    expect(held.map(({ id }) => id)).not.toContain('c');
  });
});

test('many calls at once wait for one connection, without a warning', async () => {
  const server = await start();
  const connector = connect(server.url);
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  await Promise.all(Array.from({ length: 50 }, (_, index) => connector.push('q', [job(`job-${index}`)])));
  process.off('warning', note);
  expect(warnings).toEqual([]);
  expect(await connector.size('q')).toMatchObject({ ready: 50 });
});

test('a batch of 100,000 jobs is one push', async () => {
  const server = await start();
  const connector = connect(server.url);
  const jobs = Array.from({ length: 100_000 }, (_, index) => job(`job-${index}`));
  const outcomes = await connector.push('q', jobs);
  expect(outcomes.filter((outcome) => outcome === 'stored').length).toBe(100_000);
  expect(await connector.size('q')).toMatchObject({ ready: 100_000 });
});

test.each([
  ['allkeys-lru', 1],
  ['noeviction', 0],
])('maxmemory-policy %s is warned of %i times', async (policy, count) => {
  const server = await start('--maxmemory-policy', policy);
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, text: string) => void warnings.push(text) };
  const connector = redis(server.url).connect({ ...context, logger });
  await connector.size('q');
  await connector.size('q');
  await connector.close();
  expect(warnings.filter((text) => text.includes(policy)).length).toBe(count);
});

describe('options', () => {
  test.each<[string, unknown, string]>([
    ['no URL', {}, 'url: is missing'],
    ['another protocol', 'http://:CANARY@h', 'url: http: is no protocol of Redis'],
    ['no text', { url: 7 }, 'url: is not a text'],
    ['not a URL', 'CANARY', 'url: cannot be read'],
    ['a database that is no number', 'redis://:CANARY@h/x', 'url: the path is not the number of a database'],
    ['parameters', 'redis://:CANARY@h?db=1', 'url: parameters after ? are not read'],
    ['a stray percent', 'redis://:CANARY%zz@h', 'url: a % in it'],
    ['an unknown option', { url: 'redis://h', pasword: 'CANARY' }, 'redis: there is no option pasword'],
    ['a client beside a URL', { url: 'redis://h', client: {} }, 'client: url cannot be set beside it'],
    ['something else as client', { client: {} }, 'client: is no client of ioredis'],
    ['an unknown wire', { url: 'redis://h', wire: 'think-2' }, 'wire: is none that is known'],
    ['a wire of one server', { cluster: [{ host: 'h' }], wire: 'laravel' }, 'does not work on a Cluster'],
    ['a prefix with braces', { url: 'redis://h', prefix: '{a}' }, 'prefix: is not'],
    [
      'what the driver sets',
      { url: 'redis://h', ioredis: { keyPrefix: 'a' } },
      'ioredis: keyPrefix is set by',
    ],
    ['a name with blanks', { url: 'redis://h', connectionName: 'a b' }, 'connectionName: has blanks'],
    ['a negative database', { url: 'redis://h', db: -1 }, 'db: is not the number'],
    ['nothing', undefined, 'redis() needs a URL or options'],
  ])('%s', (_, options, message) => {
    let error: unknown;
    try {
      redis(options as RedisOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining(message) });
    expect(inspect(error)).not.toContain('CANARY');
  });
});
