import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RedisOptions } from '../../drivers/redis/index.js';
import { type Command, transact } from '../../drivers/redis/transaction.js';
import type { Connector, NewJob } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { containing, type FaultKind, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { RedisConnectors } from '../support/redis-connectors.js';
import { errorOf } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const list = '{queues:q}';
const connectors = new RedisConnectors();
let server: RedisServer;
let proxy: FaultProxy;
beforeEach(async () => {
  server = await startRedis();
  proxy = await startFaultProxy(server.port);
});
afterEach(async () => {
  await connectors.close();
  await proxy?.close();
  await server?.stop();
});

function job(id: string, more: Partial<NewJob> = {}): NewJob {
  return { id, body: `{"job":"mail","data":"${'ä'.repeat(50)}","id":"${id}","attempts":0}`, ...more };
}

/** As many as three writes carry. */
function jobs(name: string, count = 600): NewJob[] {
  return Array.from({ length: count }, (_, index) => job(`${name}-${String(index).padStart(4, '0')}`));
}

/** How often a command has run. */
async function callsOf(command: string): Promise<number> {
  const stats = await server.client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** A connector through the proxy, whose connection is known to take transactions, where it does. */
async function connect(options: Partial<RedisOptions> = {}): Promise<Connector> {
  const through = { url: `redis://127.0.0.1:${proxy.port}`, commandTimeout: 2, ...options };
  const connector = connectors.connect(through);
  await connector.size('warm');
  await connector.push('warm', jobs('warm'));
  await connector.push('warm', [job('warm later', { delayMs: 60_000 })]);
  return connector;
}

const stored = (count: number) => new Array(count).fill('stored');

test('many jobs are one transaction, and are stored as they are', async () => {
  const connector = await connect();
  const [before, scripts] = [await callsOf('exec'), await callsOf('evalsha')];
  const pushed = [...jobs('a', 2500), job('large'), job('feed', { body: '{\n"id":"feed","attempts":0}' })];
  pushed[7] = { id: 'big', body: `{"data":"${'x'.repeat(150_000)}","id":"big","attempts":0}` };
  pushed[2501] = { id: 'feed', body: '{"data":{\n},"id":"feed","attempts":0}' };
  expect(await connector.push('q', pushed)).toEqual(stored(2502));
  expect(await server.client.lrange(list, 0, -1)).toEqual(pushed.map(({ body }) => body));
  expect((await callsOf('exec')) - before).toBe(1);
  expect(await callsOf('evalsha')).toBe(scripts);
});

test('one large job is one, too', async () => {
  const connector = await connect();
  const before = await callsOf('exec');
  const body = `{"data":"${'ä'.repeat(20_000)}","id":"a","attempts":0}`;
  expect(await connector.push('q', [{ id: 'a', body }])).toEqual(['stored']);
  expect(await server.client.lrange(list, 0, -1)).toEqual([body]);
  expect((await callsOf('exec')) - before).toBe(1);
});

test.each(['think-1', 'laravel'] as const)('many jobs are stored on the wire %s', async (wire) => {
  const connector = await connect({ wire });
  expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
  expect(await connector.size('q')).toMatchObject({ ready: 600 });
});

test('who waits for jobs gets those of a transaction', async () => {
  const connector = await connect();
  const worker = connectors.connect(server.url);
  expect(await worker.reserve(['q'], 10, 60_000)).toEqual([]);
  const woken = worker.waitForJob(['q'], 20_000, new AbortController().signal);
  while ((await server.client.info('clients')).includes('blocked_clients:0'));
  await connector.push('q', jobs('a'));
  await within(
    woken.then(() => {}),
    'the wake',
  );
  const found: string[] = [];
  while (found.length < 600) {
    const held = await worker.reserve(['q'], 100, 60_000);
    found.push(...held.map(({ id }) => id));
  }
  expect(found).toEqual(jobs('a').map(({ id }) => id));
});

describe.each<FaultKind>(['lose-reply', 'half-reply', 'cut-before', 'half-open', 'late', 'swallow'])(
  'a transaction that meets %s',
  (kind) => {
    test.each([
      ['in its midst', '"id":"a-0300"'],
      ['at its end', '\r\nexec\r\n'],
    ])('%s is stored once', async (_, at) => {
      const isSilent = kind === 'half-open' || kind === 'swallow';
      const connector = await connect(isSilent ? { commandTimeout: 0.5 } : {});
      const fault = proxy.plan(kind, containing(at));
      expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
      await within(fault.happened, kind);
      if (kind === 'late') await within(fault.deliver(), 'the late delivery');
      expect(await server.client.lrange(list, 0, -1)).toEqual(jobs('a').map(({ body }) => body));
    });
  },
);

test('what arrives once a worker has done the jobs is taken back', async () => {
  const connector = await connect();
  const worker = connectors.connect(server.url);
  const late = proxy.plan('late', containing('\r\nexec\r\n'));
  expect(await connector.push('q', jobs('a', 100))).toEqual(stored(100));
  const held = await worker.reserve(['q'], 100, 60_000);
  await worker.delete(held.map(({ lease }) => lease));
  await worker.push('q', jobs('b', 2));
  await within(late.deliver(), 'the late delivery');
  expect(await server.client.lrange(list, 0, -1)).toEqual(jobs('b', 2).map(({ body }) => body));
});

test('jobs queue behind delayed ones that are due', async () => {
  const connector = await connect();
  await connector.push('q', [job('first')]);
  await server.client.zadd(`${list}:delayed`, 1, job('due').body);
  expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
  expect(await server.client.lrange(list, 0, -1)).toEqual([job('first').body]);
  const held = await connector.reserve(['q'], 1000, 60_000);
  expect(held.map(({ id }) => id).slice(0, 3)).toEqual(['first', 'due', 'a-0000']);
});

describe('nothing is stored', () => {
  test.each([
    ['the list', list],
    ['the delayed jobs', `${list}:delayed`],
  ])('where %s are of another type', async (_, key) => {
    const connector = await connect();
    await server.client.set(key, 'theirs');
    const error = await errorOf(connector.push('q', jobs('a')));
    expect(error).toMatchObject({ code: 'E_STORE_SCHEMA', transient: false, ambiguous: false });
    expect(await server.client.keys(`${list}*`)).toEqual([key]);
  });

  test('where the server is full, until it is not', async () => {
    const connector = await connect();
    await server.client.config('SET', 'maxmemory', '1');
    const error = await errorOf(connector.push('q', jobs('a')));
    expect(error).toMatchObject({ code: 'E_STORE_FULL', transient: true, ambiguous: false });
    expect(await server.client.exists(list)).toBe(0);
    await server.client.config('SET', 'maxmemory', '0');
    expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
  });

  test('where the server became a replica', async () => {
    const connector = await connect();
    await server.client.call('REPLICAOF', '127.0.0.1', '1');
    const error = await errorOf(connector.push('q', jobs('a')));
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
    await server.client.call('REPLICAOF', 'NO', 'ONE');
    expect(await server.client.exists(list)).toBe(0);
  });
});

describe('a user without a right to transactions', () => {
  test.each(['multi', 'exec', 'ltrim'])('pushes by script: %s', async (right) => {
    await server.client.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '+@all', 'allkeys', `-${right}`);
    const connector = await connect({ user: 'app', password: 'any' });
    const before = await callsOf('rpush');
    expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
    expect(await server.client.lrange(list, 0, -1)).toEqual(jobs('a').map(({ body }) => body));
    expect((await callsOf('rpush')) - before).toBe(1);
  });

  test('whose MULTI is taken away stores jobs once', async () => {
    await server.client.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '+@all', 'allkeys');
    const connector = await connect({ user: 'app', password: 'any' });
    await connector.push('q', [job('before')]);
    await server.client.call('ACL', 'SETUSER', 'app', '-multi');
    expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
    expect(await server.client.llen(list)).toBe(601);
  });

  test.each(['exec', 'eval', 'rpush'])(
    'is told when %s is taken away, and nobody loses a job',
    async (right) => {
      await server.client.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '+@all', 'allkeys');
      const connector = await connect({ user: 'app', password: 'any' });
      await connector.push('q', [job('before')]);
      await server.client.call('ACL', 'SETUSER', 'app', `-${right}`);
      const error = await errorOf(connector.push('q', jobs('a')));
      expect(error).toMatchObject({ code: 'E_CONFIG', transient: false });
      expect(await server.client.lindex(list, 0)).toBe(job('before').body);
      expect(await server.client.llen(list)).toBe(1);
      await server.client.call('ACL', 'SETUSER', 'app', '+@all');
      expect(await connector.push('q', jobs('b'))).toEqual(stored(600));
      expect(await server.client.llen(list)).toBe(601);
    },
  );
});

test('what cannot be written leaves no transaction behind', async () => {
  function* parts(): Generator<readonly Command[]> {
    yield [['rpush', list, 'a']];
    throw new RangeError('too long');
  }
  await expect(transact(server.client, parts())).rejects.toThrow('too long');
  expect(await server.client.exists(list)).toBe(0);
});

test('a connection that was made anew is asked anew', async () => {
  const connector = await connect();
  const before = await callsOf('exec');
  proxy.cut();
  while (!(await connector.size('q').catch(() => undefined))); // until it is there again
  expect(await connector.push('q', jobs('a'))).toEqual(stored(600));
  expect(await connector.push('q', jobs('b'))).toEqual(stored(600));
  expect((await callsOf('exec')) - before).toBe(2); // one of them asked
});
