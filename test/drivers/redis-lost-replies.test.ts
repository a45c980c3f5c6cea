import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import {
  type Connector,
  createQueue,
  defineJob,
  type NewJob,
  type QueueError,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { within } from '../support/deferred.js';
import { containing, type FaultKind, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { errorOf } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { inTier } from '../support/tier.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const list = '{queues:q}';
let server: RedisServer;
let proxy: FaultProxy;
const connectors: Connector[] = [];
beforeEach(async () => {
  server = await startRedis();
  proxy = await startFaultProxy(server.port);
});
afterEach(async () => {
  await Promise.all(connectors.splice(0).map((connector) => connector.close()));
  await proxy?.close();
  await server?.stop();
});

/** A connector through the proxy. Its scripts are known to the server, so that a request is one EVALSHA. */
async function connect(options: Partial<RedisOptions> = {}): Promise<Connector> {
  const through = { url: `redis://127.0.0.1:${proxy.port}`, commandTimeout: 2, ...options } as RedisOptions;
  const connector = redis(through).connect(context);
  connectors.push(connector);
  await connector.push('warm', [job('warm')]);
  await connector.push('warm', [job('warm later', { delayMs: 60_000 })]);
  return connector;
}

function job(id: string, more: Partial<NewJob> = {}): NewJob {
  return { id, body: `{"job":"mail","data":"x","id":"${id}","attempts":0}`, ...more };
}

/** The ids of all jobs that are stored, in whatever state, as often as they are. */
async function storedIds(of = list): Promise<string[]> {
  const members = [
    ...(await server.client.lrange(of, 0, -1)),
    ...(await server.client.zrange(`${of}:delayed`, '0', '-1')),
    ...(await server.client.zrange(`${of}:reserved`, '0', '-1')),
  ];
  return members.map((member) => /"id":"([^"]*)"/.exec(member)?.[1] ?? '').sort();
}

const aJob = containing('"id":"a"');
const hundred = Array.from({ length: 100 }, (_, index) => `b${String(index).padStart(2, '0')}`);

/** What may be pushed; all of it with each fault in the full tier. */
const pushes: readonly (readonly [string, NewJob[]])[] = [
  ['mixed', [job('a'), job('mine', { unique: true }), job('later', { delayMs: 60_000 })]],
  ['due now', [job('a')]],
  ['delayed', [job('a', { delayMs: 60_000 })]],
  ['due at a time', [job('a', { availableAtMs: Date.now() + 60_000 })]],
  ['with an id of the caller', [job('a', { unique: true })]],
  ['with a body of another form', [{ id: 'a', body: '"id":"a"' }]],
  ['of a hundred', [job('a'), ...hundred.map((id) => job(id))]],
];

describe.each<FaultKind>(['lose-reply', 'half-reply', 'cut-before', 'half-open', 'late', 'swallow'])(
  'a push whose request meets %s',
  (kind) => {
    const few = kind === 'lose-reply' ? pushes.length : 2;
    test.each(inTier(pushes.slice(0, few), pushes.slice(few)))('is stored once: %s', async (_, jobs) => {
      // Where nobody is told, only the deadline ends the first try.
      const isSilent = kind === 'half-open' || kind === 'swallow';
      const connector = await connect(isSilent ? { commandTimeout: 0.3 } : {});
      const fault = proxy.plan(kind, aJob);
      const outcomes = await connector.push('q', jobs);
      await within(fault.happened, kind);
      if (kind === 'late') await within(fault.deliver(), 'the late delivery');
      expect(await storedIds()).toEqual(jobs.map(({ id }) => id).sort());
      for (const [index, { unique = false }] of jobs.entries()) {
        // Of an id that is held apart, the repeat finds that it is there.
        if (!unique || kind === 'cut-before') expect(outcomes[index]).toBe('stored');
      }
    });
  },
);

describe.each([
  ['think-1', 1],
  ['laravel', 0],
] as const)('on the wire %s', (wire, first) => {
  test.each<[string, Partial<NewJob>]>([
    ['due now', {}],
    ['delayed', { delayMs: 60_000 }],
  ])('a push whose reply was lost is stored once: %s', async (_, more) => {
    const connector = await connect({ wire });
    const fault = proxy.plan('lose-reply', aJob);
    const body = `{"job":"mail","data":"x","id":"a","attempts":${first},"delay":null}`;
    expect(await connector.push('q', [{ id: 'a', body, ...more }])).toEqual(['stored']);
    await within(fault.happened, 'the lost reply');
    expect(await storedIds('queues:q')).toEqual(['a']);
  });
});

describe('a push whose reply was lost', () => {
  test('is found when a worker holds it, or gave it back', async () => {
    const connector = await connect({ commandTimeout: 2 });
    const other = redis(server.url).connect(context);
    connectors.push(other);
    for (const give of ['hold', 'release', 'release later', 'unreserve'] as const) {
      const ids = [`${give}-1`, `${give}-2`];
      const fault = proxy.plan('lose-reply', containing(`"id":"${give}-1"`));
      // The repeat is late as well, so that the worker comes first.
      const repeat = proxy.plan('cut-before', containing(`"id":"${give}-1"`));
      const pushed = connector.push('q', [job(ids[0] ?? ''), job(ids[1] ?? '')]);
      await within(fault.happened, 'the lost reply');
      const held = await other.reserve(['q'], 2, 60_000);
      expect(held.map(({ id }) => id)).toEqual(ids);
      const leases = held.map(({ lease }) => lease);
      if (give === 'release') await other.release(leases.map((lease) => ({ lease, delayMs: 0 })));
      if (give === 'release later') await other.release(leases.map((lease) => ({ lease, delayMs: 60_000 })));
      if (give === 'unreserve') await other.unreserve?.(leases);
      await within(repeat.happened, 'the cut');
      expect(await pushed).toEqual(['stored', 'stored']);
      expect(await storedIds()).toEqual(ids);
      await server.client.flushdb();
    }
  });

  test('is found by one of its jobs when a worker has done the others', async () => {
    const connector = await connect();
    const other = redis(server.url).connect(context);
    connectors.push(other);
    const fault = proxy.plan('lose-reply', aJob);
    const repeat = proxy.plan('cut-before', aJob);
    const pushed = connector.push('q', [job('a'), ...hundred.map((id) => job(id))]);
    await within(fault.happened, 'the lost reply');
    const held = await other.reserve(['q'], 100, 60_000);
    await other.delete(held.map(({ lease }) => lease));
    await within(repeat.happened, 'the cut');
    expect((await pushed).length).toBe(101);
    expect(await storedIds()).toEqual(['b99']);
  });

  test('is settled once, though the reply of the repeat is lost too', async () => {
    const connector = await connect();
    const other = redis(server.url).connect(context);
    connectors.push(other);
    await connector.push('q', [job('before')]);
    // So that the server knows the script of a repeat.
    proxy.plan('cut-before', containing('"id":"b"'));
    await connector.push('warm', [job('b')]);
    const faults = [proxy.plan('cut-before', aJob)];
    const repeat = proxy.plan('lose-reply', aJob);
    const late = proxy.plan('late', aJob);
    const pushed = connector.push('q', [job('a')]);
    await within(Promise.all([...faults, repeat].map((fault) => fault.happened)), 'the faults');
    // What the repeat stored is done before the next one looks, and a last try arrives after all of it.
    const held = await other.reserve(['q'], 2, 60_000);
    expect(held.map(({ id }) => id)).toEqual(['before', 'a']);
    await other.delete(held.map(({ lease }) => lease));
    expect(await pushed).toEqual(['stored']);
    await within(late.deliver(), 'the late delivery');
    expect(await storedIds()).toEqual([]);
  });

  test('finds no other life of its id: what was pushed before it is another call', async () => {
    const connector = await connect();
    await connector.push('q', [job('a', { unique: true })]);
    const [held] = await connector.reserve(['q'], 1, 60_000);
    await connector.delete(held ? [held.lease] : []);
    proxy.plan('cut-before', aJob);
    expect(await connector.push('q', [job('a', { unique: true })])).toEqual(['stored']);
    expect(await storedIds()).toEqual(['a']);
  });

  test('leaves a mark that Redis forgets by itself, and none where nothing was lost', async () => {
    const connector = await connect();
    await connector.push('q', [job('b')]);
    expect(await server.client.keys(`${list}*`)).toEqual([list]);
    const fault = proxy.plan('lose-reply', aJob);
    await connector.push('q', [job('a')]);
    await fault.happened;
    const [mark = ''] = await server.client.keys(`${list}:push:*`);
    expect(await server.client.ttl(mark)).toBeGreaterThan(3000);
    expect(await server.client.keys(`${list}*`)).toHaveLength(2);
  });

  test('is settled on a client of the application too', async () => {
    const client = new Redis({ port: proxy.port, host: '127.0.0.1', autoResendUnfulfilledCommands: false });
    client.on('error', () => {});
    const connector = redis({ client, commandTimeout: 0.5 }).connect(context);
    connectors.push(connector);
    await connector.push('warm', [job('warm')]);
    await connector.push('warm', [job('warm later', { delayMs: 60_000 })]);
    const fault = proxy.plan('lose-reply', aJob);
    expect(await connector.push('q', [job('a')])).toEqual(['stored']);
    await fault.happened;
    expect(await storedIds()).toEqual(['a']);
    client.disconnect();
  });
});

describe('a push that cannot be settled', () => {
  test.each([1, 100])('tells the ids of its %i jobs within two command timeouts', async (count) => {
    const connector = await connect({ commandTimeout: 0.3 });
    const ids = hundred.slice(0, count);
    proxy.blackHole();
    const error = await within(
      errorOf(
        connector.push(
          'q',
          ids.map((id) => job(id)),
        ),
      ),
      'the error',
      5000,
    );
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', ambiguous: true, transient: true, ids });
    expect(error.message).toContain('b00');
    expect(error.message.length).toBeLessThan(400);
    proxy.heal();
    // The dead connection is given up by itself. Until then a push tells that nothing was sent.
    let outcomes: unknown;
    while (outcomes === undefined) {
      outcomes = await connector.push('q', [job('a')]).catch((thrown: QueueError) => {
        expect(thrown).toMatchObject({ transient: true, ambiguous: false });
      });
    }
    expect(outcomes).toEqual(['stored']);
    expect(await storedIds()).toEqual(['a']);
  });

  test('tells so when its server is gone', async () => {
    const connector = await connect({ commandTimeout: 0.5 });
    const fault = proxy.plan('swallow', aJob);
    const pushed = errorOf(connector.push('q', [job('a')]));
    await fault.happened;
    await server.stop();
    expect(await pushed).toMatchObject({ code: 'E_STORE_UNAVAILABLE', ambiguous: true, ids: ['a'] });
  });

  test('tells so when the repeat is refused: the refusal is not of the first try', async () => {
    const connector = await connect({ commandTimeout: 0.5 });
    const fault = proxy.plan('cut-before', aJob);
    await server.client.config('SET', 'maxmemory', '1');
    const pushed = errorOf(connector.push('q', [job('a')]));
    await fault.happened;
    expect(await pushed).toMatchObject({ code: 'E_STORE_UNAVAILABLE', ambiguous: true, ids: ['a'] });
  });

  test('tells so on a client that the application ends', async () => {
    const client = new Redis({ port: proxy.port, host: '127.0.0.1', maxRetriesPerRequest: 0 });
    const connector = redis({ client, commandTimeout: 0.5 }).connect(context);
    connectors.push(connector);
    await connector.push('warm', [job('warm')]);
    await connector.push('warm', [job('warm later', { delayMs: 60_000 })]);
    const fault = proxy.plan('half-open', aJob);
    const pushed = errorOf(connector.push('q', [job('a')]));
    await fault.happened;
    const ended = once(client, 'end');
    client.disconnect();
    await ended;
    expect(await pushed).toMatchObject({ ambiguous: true, ids: ['a'] });
  });
});

describe('a server that was stopped while a push was on its way', () => {
  test('stores it once when it goes on, whichever try it sees first', async () => {
    const connector = await connect({ commandTimeout: 0.3 });
    server.process.kill('SIGSTOP');
    const error = await errorOf(connector.push('q', [job('a')]));
    expect(error).toMatchObject({ ambiguous: true, ids: ['a'] });
    server.process.kill('SIGCONT');
    // Both tries lie in its buffers. It reads them before it answers who comes after.
    const after = redis(server.url).connect(context);
    connectors.push(after);
    await after.push('q', [job('b')]);
    const ids = await storedIds();
    expect(ids.filter((id) => id === 'a').length).toBeLessThanOrEqual(1);
    expect(ids).toContain('b');
  });
});

describe('retrying a failed job whose reply was lost', () => {
  test.each<FaultKind>(['lose-reply', 'cut-before', 'late'])(
    '%s: moves it once, and says so',
    async (kind) => {
      const boom = defineJob({ name: 'boom', tries: 1, handle: () => Promise.reject(new Error('boom')) });
      const url = `redis://127.0.0.1:${proxy.port}`;
      const connections = { main: redis({ url, queue: 'q', commandTimeout: 2 }) };
      const queue = createQueue({ connections, jobs: [boom] });
      const id = await queue.push(boom, null, { id: 'a' });
      await queue.worker({ once: true }).run();
      const failed = await queue.failed.list();
      // A first retry of nothing makes the script known.
      await server.client.eval('return 1', 0);
      const retried = await queue.failed.retry(failed);
      expect(retried).toMatchObject([{ outcome: 'retried' }]);
      await queue.worker({ once: true }).run();
      const again = await queue.failed.list();
      const fault = proxy.plan(kind, (asked) => asked.includes('evalsha') && asked.includes('"id":"a"'));
      expect(await queue.failed.retry(again)).toMatchObject([{ outcome: 'retried' }]);
      await within(fault.happened, kind);
      if (kind === 'late') await within(fault.deliver(), 'the late delivery');
      expect(await storedIds()).toEqual([id]);
      expect(await queue.failed.list()).toEqual([]);
      await queue.close();
    },
  );
});
