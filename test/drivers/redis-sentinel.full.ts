import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, type QueueError, silentLogger, systemClock } from '../../src/index.js';
import { freePort } from '../support/free-port.js';
import { insist } from '../support/redis-refusals.js';
import { type SentinelGroup, startSentinelGroup } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(sentinels?: number): Promise<SentinelGroup> {
  const group = await startSentinelGroup({ ...(sentinels !== undefined && { sentinels }) });
  opened.push({ close: () => group.stop() });
  return group;
}

function connect(options: RedisOptions): Connector {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector;
}

function job(id: string) {
  return { id, body: `{"job":"mail","data":null,"id":"${id}","attempts":0}`, unique: true };
}

/** Waits until the replica has all that was written so far; Redis's WAIT is about what its own client wrote. */
async function untilReplicated({ client }: RedisServer): Promise<void> {
  await client.set('written', '1');
  await client.del('written');
  expect(await client.wait(1, 10_000)).toBe(1);
}

test('the master behind Sentinel is found, and after its death the new one', async () => {
  const { sentinels, name, master, replicas } = await start();
  const pusher = connect({ ioredis: { sentinels, name } });
  const worker = connect({ ioredis: { sentinels, name }, connectionName: 'worker' });
  await pusher.push('q', [job('a'), job('b')]);
  const [held] = await worker.reserve(['q'], 1, 60_000);
  expect(await master.client.client('LIST')).toContain('name=worker');
  await untilReplicated(master); // what was not dies with the master
  master.process.kill('SIGKILL');
  const refusals: QueueError[] = [];
  // Both go on at once, as in the same process; each must find the new master by itself.
  const pushed = insist(() => pusher.push('q', [job('c')]), refusals);
  const settled = insist(() => worker.delete(held ? [held.lease] : []), refusals);
  expect(await pushed).toEqual(['stored']);
  expect(await settled).toEqual([true]);
  expect(refusals.length).toBeGreaterThan(0);
  const rest = await insist(() => worker.reserve(['q'], 10, 60_000), refusals);
  expect(rest.map(({ id }) => id)).toEqual(['b', 'c']);
  expect(await replicas[0].client.zcard('{queues:q}:reserved')).toBe(2);
});

test('a master that was demoted is left, though its connection lasts', async () => {
  const { sentinels, name, replicas } = await start(1);
  const connector = connect({ ioredis: { sentinels, name } });
  await connector.push('q', [job('a')]);
  const refusals: QueueError[] = [];
  const sentinel = new Redis(sentinels[0]?.port ?? 0, '127.0.0.1');
  let answer = '';
  // It may not have heard from the replica yet.
  while (answer !== 'OK')
    answer = String(await sentinel.call('SENTINEL', 'FAILOVER', name).catch(() => pause(20)));
  sentinel.disconnect();
  while (!(await replicas[0].client.info('replication')).includes('role:master')) await pause(20);
  await insist(() => connector.push('q', [job('b')]), refusals);
  expect(await insist(() => connector.size('q'), refusals)).toMatchObject({ ready: 2 });
});

test('a master that must have a replica, and has lost it to its successor, is left before it is demoted', async () => {
  const { sentinels, name, master, replicas } = await start(1);
  const connector = connect({ ioredis: { sentinels, name } });
  await connector.push('q', [job('a')]);
  await untilReplicated(master);
  await master.client.config('SET', 'min-replicas-max-lag', '1');
  await master.client.config('SET', 'min-replicas-to-write', '1');
  master.process.kill('SIGSTOP');
  while (!(await replicas[0].client.info('replication')).includes('role:master')) await pause(20);
  master.process.kill('SIGCONT');
  while (!(await master.client.info('replication')).includes('min_slaves_good_slaves:0')) await pause(20);
  const refusals: QueueError[] = [];
  await insist(() => connector.push('q', [job('b')]), refusals);
  expect(await insist(() => connector.size('q'), refusals)).toMatchObject({ ready: 2 });
  // Sentinel demotes it after some 10 s, in which there is time for hundreds.
  expect(refusals.length).toBeLessThan(50);
}, 60_000);

test('sentinels that hang are given up in time, and asked again', async () => {
  const { sentinels, name, watchers } = await start(1);
  const connector = connect({ ioredis: { sentinels, name }, commandTimeout: 0.3 });
  for (const watcher of watchers) watcher.kill('SIGSTOP');
  for (let turn = 0; turn < 2; turn += 1) {
    const error: QueueError = await connector.push('q', [job('a')]).then(
      () => expect.unreachable('it did not reject'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(error.message).toContain('redis master main behind Sentinel');
  }
  for (const watcher of watchers) watcher.kill('SIGCONT');
  expect(await insist(() => connector.push('q', [job('a')]), [])).toEqual(['stored']);
});

test('sentinels that are away, or know no master of that name, are told', async () => {
  const { sentinels } = await start(1);
  const away = connect({
    ioredis: { sentinels: [{ host: '127.0.0.1', port: await freePort() }], name: 'main' },
  });
  const unknown = connect({ ioredis: { sentinels, name: 'mine' } });
  for (const connector of [away, unknown]) {
    const error: QueueError = await connector.size('q').then(
      () => expect.unreachable('it did not reject'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false });
    expect(error.fix).toContain('name');
  }
});
