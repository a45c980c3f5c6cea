import { afterEach, describe, expect, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, type Lease, silentLogger, systemClock } from '../../src/index.js';
import { failedRecord } from '../conformance/steps.js';
import { afterwards, away, errorOf, goesOn, job, until } from '../support/redis-refusals.js';
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

function connect(options: string | RedisOptions): Connector & Required<Pick<Connector, 'waitForJob'>> {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector as ReturnType<typeof connect>;
}

describe('a user without the rights', () => {
  test.each<[string, string[], string[]]>([
    ['to run scripts', ['-eval', '-evalsha'], ['+eval', '+evalsha']],
    ['to the keys', ['resetkeys', '~theirs'], ['allkeys']],
  ])('%s is told so at once, and goes on when it has them', async (_, taken, given) => {
    const server = await start();
    await server.client.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '+@all', 'allkeys');
    const connector = connect({ url: server.url, user: 'app', password: 'any' });
    await connector.push('q', [job('a')]);
    await server.client.call('ACL', 'SETUSER', 'app', ...taken);
    for (const call of [
      () => connector.push('q', [job('b')]),
      () => connector.reserve(['q'], 1, 60_000),
      () => connector.size('q'),
    ]) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
      expect(error.fix).toContain('Rights');
    }
    await server.client.call('ACL', 'SETUSER', 'app', ...given);
    await goesOn(connector, ['a']);
  });
});

/** What a user may lack: each of these comes behind another write in some script. */
const writes = ['zadd', 'rpush', 'lpush', 'hset', 'hdel', 'srem', 'sadd', 'zrem', 'lpop', 'ltrim'];

test.each(writes)('a user that may not %s is refused before a job is lost or an id taken', async (right) => {
  const server = await start();
  await server.client.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '+@all', 'allkeys', `-${right}`);
  const whole = connect(server.url);
  const lame = connect({ url: server.url, user: 'app', password: 'any' });
  await whole.push('q', [job('mine'), job('other'), job('failing'), job('failed'), job('lapsed')]);
  const held = await whole.reserve(['q'], 4, 60_000);
  const [mine, other, failing, failed] = held.map(({ lease }) => lease) as [Lease, Lease, Lease, Lease];
  const record = (id: string) => failedRecord({ id, queue: 'q', body: job(id).body, attempts: 1 });
  const old = record('failed');
  await whole.fail?.([{ lease: failed, record: old }]);
  await whole.reserve(['q'], 1, 1);
  await whole.push('q', [job('ready'), { id: 'odd', body: 'odd' }]);
  await whole.push('q', [
    { ...job('due'), delayMs: 1 },
    { ...job('later'), delayMs: 60_000 },
  ]);
  await until(async () => (await whole.size('q')).ready === 4);

  const calls = [
    () => lame.push('q', [job('new')]),
    () => lame.push('q', [job('new now'), { ...job('new later'), delayMs: 50_000 }]),
    () => lame.extend([mine], 60_000),
    () => lame.fail?.([{ lease: failing, record: record('failing') }]),
    () => lame.failedJobs?.retry?.([old.uuid]),
    () => lame.release([{ lease: mine, delayMs: 0 }]),
    () => lame.unreserve?.([other]),
    () => lame.reserve(['q'], 100, 60_000),
  ];
  let refused = 0;
  const accepted: string[] = [];
  for (const [index, call] of calls.entries()) {
    try {
      await call();
      accepted.push(...[['new'], ['new now', 'new later']].flatMap((ids, at) => (at === index ? ids : [])));
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(0);
  // Whatever state they are in: all of them become due.
  await server.advance(120_000);
  const there = (await whole.reserve(['q'], 100, 60_000)).map((one) => (one.body === 'odd' ? 'odd' : one.id));
  there.push(...((await whole.failedJobs?.list()) ?? []).map(({ jobId }) => jobId));
  const all = ['mine', 'other', 'failing', 'failed', 'lapsed', 'ready', 'odd', 'due', 'later', ...accepted];
  expect(there.sort()).toEqual(all.sort());
  for (const id of ['new', 'new now', 'new later'].filter((one) => !accepted.includes(one)))
    expect(await whole.push('q', [job(id)])).toEqual(['stored']);
});

describe('a server that has all the clients that it may', () => {
  test('is tried again until there is room', async () => {
    const server = await start();
    const connector = connect(server.url);
    await server.client.config('SET', 'maxclients', '1');
    const calls = [() => connector.push('q', [job('a')]), () => connector.reserve(['q'], 1, 60_000)];
    for (const call of calls) expect(await errorOf(call())).toMatchObject(away());
    await server.client.config('SET', 'maxclients', '100');
    await goesOn(connector, []);
  });

  test('has no room for connections that wait: who waits looks once a second', async () => {
    const server = await start();
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    const [first] = await connector.reserve(['q'], 1, 60_000);
    await connector.delete(first ? [first.lease] : []);
    await server.client.config('SET', 'maxclients', '2');
    await server.client.config('RESETSTAT');
    const fromMs = performance.now();
    const { signal } = new AbortController();
    for (let round = 0; round < 2; round++) await connector.waitForJob(['q'], 60_000, signal);
    const seconds = Math.ceil((performance.now() - fromMs) / 1000);
    const stats = await server.client.info();
    expect(Number(/rejected_connections:(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(3 * (seconds + 1));
    await server.client.config('SET', 'maxclients', '100');
    await goesOn(connector, []);
  });
});

describe('a server that must have a replica for each write', () => {
  test('refuses while that is away, and takes no job that it could lose', async () => {
    const server = await start('--repl-diskless-sync-delay', '0');
    const replica = await start('--replicaof', `127.0.0.1 ${server.port}`);
    const connector = connect(server.url);
    await connector.push('q', [job('a'), job('b')]);
    const [held] = await connector.reserve(['q'], 1, 60_000);
    const leases = held ? [held.lease] : [];
    const hasReplica = async () => (await server.client.info('replication')).includes('state=online');
    await until(hasReplica);
    await server.client.config('SET', 'min-replicas-max-lag', '1');
    await server.client.config('SET', 'min-replicas-to-write', '1');
    replica.process.kill('SIGSTOP');
    const lacks = async () => (await server.client.info('replication')).includes('min_slaves_good_slaves:0');
    await until(lacks);
    const calls = [
      () => connector.push('q', [job('c')]),
      () => connector.reserve(['q'], 1, 60_000),
      () => connector.delete(leases),
      () => connector.release(leases.map((lease) => ({ lease, delayMs: 0 }))),
    ];
    for (const call of calls) {
      const error = await errorOf(call());
      expect(error).toMatchObject(away());
      expect(error.message).toContain('NOREPLICAS');
    }
    expect(await connector.size('q')).toMatchObject({ ready: 1, reserved: 1 });
    replica.process.kill('SIGCONT');
    expect(await afterwards(() => connector.delete(leases))).toEqual([true]);
    await goesOn(connector, ['b']);
  });
});

describe('a server that cannot save', () => {
  test('is read-only until a save succeeds', async () => {
    const server = await start('--enable-protected-configs', 'yes');
    const [, folder = ''] = (await server.client.config('GET', 'dir')) as string[];
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    const saved = async (how: string): Promise<void> => {
      await server.client.bgsave();
      await until(async () => {
        const told = await server.client.info('persistence');
        return told.includes('rdb_bgsave_in_progress:0') && told.includes(`rdb_last_bgsave_status:${how}`);
      });
    };
    await server.client.config('SET', 'dir', '/proc');
    await server.client.config('SET', 'save', '3600 1');
    await saved('err');
    for (const call of [() => connector.push('q', [job('b')]), () => connector.reserve(['q'], 1, 60_000)])
      expect(await errorOf(call())).toMatchObject(away('E_STORE_READONLY'));
    expect(await connector.size('q')).toMatchObject({ ready: 1 });
    await server.client.config('SET', 'dir', folder);
    await saved('ok');
    await goesOn(connector, ['a']);
  });
});

describe('a server that is busy with a script', () => {
  test('is unavailable until that is over', async () => {
    const server = await start('--busy-reply-threshold', '50');
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    const endless = server.client.duplicate();
    endless.on('error', () => {});
    const ended = endless.eval('while true do end', 0).catch(() => undefined);
    let error: unknown;
    while (error === undefined) {
      error = await connector.size('q').then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    }
    expect(error).toMatchObject(away());
    expect(await errorOf(connector.push('q', [job('b')]))).toMatchObject(away());
    await server.client.script('KILL');
    await ended;
    endless.disconnect();
    await goesOn(connector, ['a']);
  });
});
