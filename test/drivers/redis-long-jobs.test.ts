import { describe, expect, test } from 'vitest';
import { nextLongScript } from '../../drivers/redis/next-long-script.js';
import type { Connector, Lease } from '../../src/index.js';
import {
  heldByToken,
  leasesKey,
  leasesOf,
  list,
  longBody,
  longJobs,
  oneByToken,
  otherWorkers,
  reservedKey,
  trip,
} from '../support/long-jobs.js';
import { redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

const only = () => oneByToken(connector);
/** Another worker. */
const another = otherWorkers(() => server);

/** What think-queue does with jobs whose leases have lapsed. */
async function putBackByPhp(): Promise<void> {
  const lapsed = await server.client.zrangebyscore(reservedKey, '-inf', Math.floor(Date.now() / 1000));
  await server.client.zremrangebyrank(reservedKey, 0, lapsed.length - 1);
  await server.client.rpush(list, ...lapsed);
}

/** What the server has read so far. */
async function bytesRead(): Promise<number> {
  const [, bytes] = /total_net_input_bytes:(\d+)/.exec(await server.client.info('stats')) ?? [];
  return Number(bytes);
}

test('stands as it was pushed, is shown with its attempt, and leaves nothing behind', async () => {
  const { lease, ...job } = await only();
  expect(job).toMatchObject({ id: 'j1', attempts: 1, body: longBody('j1') });
  const [member, score] = await server.client.zrange(reservedKey, '0', '-1', 'WITHSCORES');
  expect(member).toBe(longBody('j1'));
  expect(await server.client.zrange(leasesKey, '0', '-1', 'WITHSCORES')).toEqual([lease.token, score]);
  const [seen] = (await connector.peek?.('q', { state: 'reserved', limit: 2 })) ?? [];
  expect(seen).toMatchObject({ id: 'j1', attempts: 1, body: longBody('j1') });
  expect(seen?.reservedAtMs).toBe(Math.floor(Number.parseInt(lease.token.slice(0, 14), 16) / 1000));
  expect(await connector.delete([lease])).toEqual([true]);
  expect(await server.client.keys('*')).toEqual([]);
});

test('what PHP would put back once its lease was extended has its attempt counted', async () => {
  const { lease } = await only();
  expect(await connector.extend([lease], 60_000)).toEqual([true]);
  const held = longBody('j1').replace('"attempts":0}', `"lease":"${lease.token}","attempts":1}`);
  expect(await server.client.zrange(reservedKey, '0', '-1')).toEqual([held]);
  await server.advance(61_000);
  await putBackByPhp();
  expect(await another().reserve(['q'], 1, 60_000)).toMatchObject([{ id: 'j1', attempts: 2 }]);
});

test('what lapses is counted, whether it is looked at before or not', async () => {
  await only();
  await server.advance(61_000);
  expect(await connector.peek?.('q', { state: 'ready', limit: 2 })).toMatchObject([
    { id: 'j1', attempts: 1 },
  ]);
  const again = await another().reserve(['q'], 1, 60_000);
  expect(again).toMatchObject([{ id: 'j1', attempts: 2, body: longBody('j1') }]);
  expect(await connector.delete(leasesOf(again))).toEqual([true]);
  expect(await server.keys()).toEqual([]);
});

test('jobs of the same bytes stay apart, also from one that is under way', async () => {
  const [twin, other] = [longBody('twin'), longBody('other')];
  await connector.push('q', longJobs('first', 'between'));
  await server.client.rpush(list, twin, other, twin, longBody('last', 'short'), twin);
  await connector.reserve(['q'], 1, 60_000);
  const before = (await trip(connector, 2)).jobs;
  const jobs = [...before, ...(await trip(connector, 4)).jobs];
  expect(jobs.map(({ id }) => id)).toEqual(['between', 'twin', 'other', 'twin', 'last', 'twin']);
  expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 7 });
  const [, a, , b, , c] = leasesOf(jobs) as [Lease, Lease, Lease, Lease, Lease, Lease];
  expect(await connector.release([{ lease: b, delayMs: 0 }])).toEqual([true]);
  expect(await connector.delete([b])).toEqual([false]);
  expect((await connector.bodiesOf?.(jobs))?.map((body) => body === twin)).toEqual([
    false,
    true,
    false,
    false,
    false,
    true,
  ]);
  expect(await connector.delete([a, a, c])).toEqual([true, false, true]);
  const again = await another().reserve(['q'], 9, 60_000);
  expect(again).toMatchObject([{ id: 'twin', attempts: 2 }]);
  expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 5 });
});

test('its body is read by the token that settles it', async () => {
  const job = await only();
  expect(job.isFoundByToken).toBe(true);
  expect(await connector.bodiesOf?.([{ ...job, body: '' }])).toEqual([longBody('j1')]);
  await connector.delete([job.lease]);
  expect(await connector.bodiesOf?.([{ ...job, body: '' }])).toEqual([undefined]);
});

test('to settle a job its body is not sent', async () => {
  const jobs = await heldByToken(connector, 20);
  await connector.push('q', [{ id: 'last', body: longBody('last') }]);
  await server.client.script('LOAD', nextLongScript.lua);
  const before = await bytesRead();
  const { held: were } = await trip(connector, 1, leasesOf(jobs));
  expect(were).toEqual(jobs.map(() => true));
  expect((await bytesRead()) - before).toBeLessThan(5000);
});

test('each verb finds the job by its token', async () => {
  const jobs = await heldByToken(connector, 6);
  const [a, b, c, d, e, f] = leasesOf(jobs) as [Lease, Lease, Lease, Lease, Lease, Lease];
  expect(await connector.extend([a, b, c, d, e, f], 90_000)).toEqual(jobs.map(() => true));
  expect(await connector.release([{ lease: a, delayMs: 60_000 }])).toEqual([true]);
  expect(await connector.postpone?.([{ lease: b, delayMs: 60_000 }])).toEqual([true]);
  expect(await connector.releaseThrown?.([{ lease: c, delayMs: 60_000 }])).toEqual([true]);
  expect(await connector.unreserve?.([d])).toEqual([true]);
  const record = {
    uuid: 'u',
    connection: 'redis',
    queue: 'q',
    jobId: 'j5',
    name: 'a',
    payload: longBody('j5'),
    error: 'no',
    failedAtMs: 1,
    reason: 'max-tries',
    attempts: 1,
  } as never;
  expect(await connector.fail?.([{ lease: e, record }])).toEqual([true]);
  expect(await connector.delete([f])).toEqual([true]);
  expect(await server.client.lrange(list, 0, -1)).toEqual([longBody('j4')]);
  const counted = await server.client.zrange(`${list}:delayed`, '0', '-1');
  expect(counted.map((member) => member.slice(member.indexOf('"id"')))).toEqual([
    '"id":"j1","attempts":1}',
    '"id":"j2","attempts":0}',
    '"id":"j3","drover:exceptions":1,"attempts":1}',
  ]);
  expect(await server.client.exists(reservedKey, leasesKey)).toBe(0);
  expect(await connector.delete(leasesOf(jobs))).toEqual(jobs.map(() => false));
});

describe('a lease that was lost', () => {
  test.each<[string, () => Promise<void>, attempts: number]>([
    ['to PHP, which put the job back as it stood', putBackByPhp, 1],
    ['to another worker of ours', async () => {}, 2],
  ])('%s, holds nothing, and leaves whose job it is now alone', async (_, putBack, attempts) => {
    const { lease: lost } = await only();
    await server.advance(61_000);
    await putBack();
    const [again] = await another().reserve(['q'], 1, 60_000);
    expect(again).toMatchObject({ id: 'j1', attempts });
    expect(await connector.extend([lost], 60_000)).toEqual([false]);
    expect(await connector.delete([lost])).toEqual([false]);
    expect(await connector.release([{ lease: lost, delayMs: 0 }])).toEqual([false]);
    expect((await trip(connector, 1, [lost])).held).toEqual([false]);
    expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 1 });
    expect(await connector.delete(again ? [again.lease] : [])).toEqual([true]);
    expect(await server.client.exists(leasesKey)).toBe(0);
  });

  test('is told where more long jobs are taken, and what it left goes', async () => {
    const { lease: lost } = await only();
    await connector.push('q', longJobs('k1', 'k2', 'k3'));
    await server.advance(61_000);
    await putBackByPhp();
    await connector.reserve(['q'], 1, 60_000);
    const { held: were, jobs } = await trip(connector, 1, [lost]);
    expect(were).toEqual([false]);
    const tokens = await server.client.zrange(leasesKey, '0', '-1');
    expect(tokens).toEqual(expect.arrayContaining(leasesOf(jobs).map(({ token }) => token)));
    expect(tokens).not.toContain(lost.token);
  });

  test('to a clear is lost for good', async () => {
    const { lease } = await only();
    await connector.clear('q', { reserved: true });
    expect(await server.keys()).toEqual([]);
    expect(await connector.delete([lease])).toEqual([false]);
  });
});

test('jobs of all kinds come as they were pushed, among long ones', async () => {
  const bytes = Buffer.from(longBody('n').replace('xxx', '\xff\xfe\xfd'), 'latin1');
  const texts = [
    longBody('a', 'short'),
    longBody('b', 'ä€😀'.repeat(2000)),
    longBody('c'),
    longBody('d', '"lease":"'.repeat(900)),
  ];
  await connector.push('q', longJobs('y', 'z'));
  await server.client.rpush(list, ...texts, bytes, longBody('e'), 'odd');
  await connector.reserve(['q'], 1, 60_000);
  const { jobs } = await trip(connector, 1);
  const more = await trip(connector, 10, leasesOf(jobs));
  expect(more.jobs.map(({ body }) => body).slice(0, 4)).toEqual(texts);
  expect(more.jobs[4]).toMatchObject({ attempts: 1, problem: expect.stringContaining('not UTF-8') });
  expect(more.jobs.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', expect.any(String), 'e']);
  expect(await connector.delete(leasesOf(more.jobs))).toEqual(more.jobs.map(() => true));
  expect(await connector.reserve(['q'], 10, 60_000)).toMatchObject([{ body: 'odd' }]);
});

test('a user who may not cut the list, or write leases, loses no job', async () => {
  for (const right of ['-ltrim', '-zadd']) {
    await server.client.flushall();
    const jobs = longJobs('a', 'b', 'c');
    await connector.push('q', jobs);
    await server.client.call('ACL', 'SETUSER', 'without', 'on', '>secret', '~*', '+@all', right);
    const own = server.client.duplicate({ username: 'without', password: 'secret' });
    const parts = ['', ':delayed', ':reserved', ':ids', ':bodies', ':wake', ':watcher', ':leases'];
    const keys = parts.map((part) => list + part);
    expect(await own.eval(nextLongScript.lua, keys.length, ...keys, '2', '60000', '0'.repeat(14))).toBe(0);
    own.disconnect();
    expect(await server.client.llen(list)).toBe(3);
    expect(await server.keys()).toEqual([list]);
  }
});
