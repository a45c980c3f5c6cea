import { describe, expect, onTestFinished, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import type { Connector } from '../../src/index.js';
import {
  heldByToken,
  leasesKey,
  leasesOf,
  longBody,
  longJobs,
  oneByToken,
  otherWorkers,
  reservedKey,
  trip,
  trips,
} from '../support/long-jobs.js';
import { context, redisPerTest } from '../support/redis-per-test.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

const only = () => oneByToken(connector);
/** Another worker. */
const another = otherWorkers(() => server);

describe('the score of a job', () => {
  const scoresOf = async () => {
    const all = await server.client.zrange(reservedKey, '0', '-1', 'WITHSCORES');
    return all.filter((_, at) => at % 2 === 1).map(Number);
  };
  /** Odd multiples of 2^-21: no whole second, and no score of a job that goes by its member. */
  const isOdd = (score: number) => (score * 2 ** 21) % 2 === 1;

  test('is its own among all that workers take at the same time', async () => {
    const workers = [another(), another(), another(), another()];
    const ids = Array.from({ length: 404 }, (_, at) => `j${at}`);
    await connector.push(
      'q',
      ids.map((id) => ({ id, body: longBody(id, 'x'.repeat(5000)) })),
    );
    for (const worker of workers) await worker.delete(leasesOf(await worker.reserve(['q'], 1, 60_000)));
    const taken = await Promise.all(workers.map((worker) => trips(worker, 100)));
    const scores = await scoresOf();
    expect(new Set(scores).size).toBe(400);
    expect(scores.every(isOdd)).toBe(true);
    const leases = leasesOf(taken.flat());
    expect(await connector.extend(leases, 60_000)).toEqual(leases.map(() => true));
    expect(new Set(await scoresOf()).size).toBe(400);
    expect(await connector.delete(leases)).toEqual(leases.map(() => true));
  });

  test('is none that another lease has, however many are in the way', async () => {
    const [blocker] = await heldByToken(connector, 1);
    await connector.push('q', longJobs('a', 'b', 'c'));
    await connector.reserve(['q'], 1, 60_000);
    const step = 2 ** -20;
    const from = Math.floor((await server.now()) / 1000) + 59 + step / 2;
    const inTheWay = Array.from({ length: 36_000 }, (_, at) => [from + at * 64 * step, `lease-${at}`]).flat();
    await server.client.zadd(leasesKey, ...inTheWay);
    const { jobs } = await trip(connector, 500);
    const last = from + 35_999 * 64 * step;
    expect((await scoresOf()).slice(-2)).toEqual([last + step, last + 2 * step]);
    const all = [...leasesOf(jobs), ...(blocker ? [blocker.lease] : [])];
    expect(await connector.extend(all, 60_000)).toEqual([true, true, true]);
    expect(await connector.delete(all)).toEqual([true, true, true]);
  });

  test('stays for those of many lapsed jobs that a reserve leaves for the next', async () => {
    const ids = Array.from({ length: 1101 }, (_, at) => `j${at}`);
    await connector.push(
      'q',
      ids.map((id) => ({ id, body: longBody(id, 'x'.repeat(5000)) })),
    );
    await connector.delete(leasesOf(await connector.reserve(['q'], 1, 60_000)));
    const jobs = await trips(connector, 1100);
    await server.advance(61_000);
    await another().reserve(['q'], 1, 60_000);
    expect(await server.client.zcard(leasesKey)).toBe(100);
    expect(await connector.peek?.('q', { state: 'ready', limit: 1, offset: 1050 })).toMatchObject([
      { attempts: 1 },
    ]);
    const [moved, left] = [jobs.slice(0, 1000), jobs.slice(1000)];
    expect(await connector.delete(leasesOf(moved))).toEqual(moved.map(() => false));
    expect(await connector.delete(leasesOf(left))).toEqual(left.map(() => true));
  });

  test('that something else has got as well settles only the job', async () => {
    const { lease } = await only();
    const score = (await server.client.zscore(leasesKey, lease.token)) ?? expect.unreachable('it has one');
    await server.client.zadd(reservedKey, score, 'beside');
    expect((await trip(connector, 1, [lease])).held).toEqual([true]);
    expect(await server.client.zrange(reservedKey, '0', '-1')).toEqual(['beside']);
  });

  test('of a job that goes by its member is an even one', async () => {
    const short = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, body: longBody(id, 'short') }));
    await connector.push('q', short);
    const [first] = await connector.reserve(['q'], 1, 60_000);
    await trip(connector, 1);
    await trip(connector, 2);
    await connector.extend(first ? [first.lease] : [], 61_234);
    const scores = await scoresOf();
    expect(scores).toHaveLength(4);
    expect(scores.every((score) => (score * 2 ** 20) % 1 === 0)).toBe(true);
  });
});

describe('a server that starts again', () => {
  test.each<[string, string[], number]>([
    ['a snapshot with few leases', [], 5],
    ['a snapshot with many', [], 200],
    ['an append-only file with few', ['--appendonly', 'yes', '--appendfsync', 'always'], 5],
    ['an append-only file with many', ['--appendonly', 'yes', '--appendfsync', 'always'], 200],
  ])('knows each lease from %s', async (_, flags, count) => {
    const own = await startRedis(...flags);
    onTestFinished(() => own.stop());
    const worker = redis(own.url).connect(context);
    onTestFinished(() => worker.close());
    const leases = leasesOf(await heldByToken(worker, count));
    expect(await own.client.call('OBJECT', 'ENCODING', leasesKey)).toBe(
      count > 128 ? 'skiplist' : 'listpack',
    );
    const before = await own.client.zrange(reservedKey, '0', '-1', 'WITHSCORES');
    if (flags.length === 0) await own.client.save();
    await own.crash();
    await own.restart();
    const late = redis(own.url).connect(context);
    onTestFinished(() => late.close());
    const client = own.client.duplicate();
    onTestFinished(() => client.disconnect());
    expect(await client.zrange(reservedKey, '0', '-1', 'WITHSCORES')).toEqual(before);
    expect(await late.delete(leases)).toEqual(leases.map(() => true));
    expect(await client.exists(reservedKey, leasesKey)).toBe(0);
  });
});
