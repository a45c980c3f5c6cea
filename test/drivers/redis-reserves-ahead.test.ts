import { expect, onTestFinished, test, vi } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import type { Connector, ReservedJob } from '../../src/index.js';
import { leasesOf, list, longBody, reservedKey, trip } from '../support/long-jobs.js';
import { context, redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

const idsOf = (jobs: readonly ReservedJob[]) => jobs.map(({ id }) => id);
const ids = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `j${from + at}`);
const sizes = () => connector.size('q');
const listed = async () =>
  (await server.client.lrange(list, 0, -1)).map((text) => /"id":"(\w+)"/.exec(text)?.[1]);

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what()));
}

/** Of which twenty are a part. */
const bodyOf = (id: string) => longBody(id, 'x'.repeat(69_000));
const jobsOf = (...all: string[]) => all.map((id) => ({ id, body: bodyOf(id) }));

/** Pushes long jobs, of which the first is done: a worker that got it is likely to get more. */
async function pushed(count: number): Promise<void> {
  await connector.push('q', jobsOf('first', ...ids(count)));
  await connector.delete(leasesOf(await connector.reserve(['q'], 1, 60_000)));
}

test('what a worker may hold comes in parts, one of which is on its way', async () => {
  await pushed(100);
  const a = (await trip(connector, 40)).jobs;
  expect(idsOf(a)).toEqual(ids(20));
  expect((await sizes()).reserved).toBe(40); // answered behind what is on its way
  const { held, jobs: b } = await trip(connector, 40, leasesOf(a));
  expect(held).toEqual(a.map(() => true));
  expect(idsOf(b)).toEqual(ids(20, 20));
  expect((await sizes()).reserved).toBe(40);
  const rest: ReservedJob[] = [];
  for (let left = 60; left > 0; left = 60 - rest.length) rest.push(...(await trip(connector, 40)).jobs);
  expect(idsOf(rest)).toEqual(ids(60, 40));
  expect((await trip(connector, 40, leasesOf([...b, ...rest]))).jobs).toEqual([]);
  expect(await server.keys()).toEqual([]);
});

test('who wants less than two parts gets all of it at once', async () => {
  await pushed(50);
  expect(idsOf((await trip(connector, 39)).jobs)).toEqual(ids(39));
  expect((await sizes()).reserved).toBe(39);
});

test('nobody gets more than was asked for, and what is too much goes back to its place', async () => {
  await pushed(50);
  expect(idsOf((await trip(connector, 40)).jobs)).toEqual(ids(20));
  expect(idsOf((await trip(connector, 3)).jobs)).toEqual(ids(3, 20));
  await until(async () => (await sizes()).reserved === 23);
  expect(await listed()).toEqual(ids(27, 23));
});

test('what nobody asks for goes back to its place, its attempts unspent', async () => {
  await pushed(50);
  await trip(connector, 40);
  expect((await sizes()).reserved).toBe(40);
  await until(async () => (await sizes()).reserved === 20);
  expect(await server.client.lrange(list, 0, 0)).toEqual([bodyOf('j20')]);
  expect(await listed()).toEqual(ids(30, 20));
});

test('it goes back together with older jobs, in their order', async () => {
  await pushed(50);
  const { jobs } = await trip(connector, 40);
  expect(await connector.unreserve?.(leasesOf(jobs))).toEqual(jobs.map(() => true));
  expect(await listed()).toEqual(ids(50));
  expect(await sizes()).toEqual({ ready: 50, delayed: 0, reserved: 0 });
});

test('who asks for another lease gets that one', async () => {
  await pushed(50);
  const first = (await trip(connector, 40)).jobs;
  const jobs = await connector.reserve(['q'], 2, 90_000);
  const ends = await server.client.zrange(reservedKey, '-2', '-1', 'WITHSCORES');
  const now = (await server.now()) / 1000;
  expect([ends[1], ends[3]].map((end) => Number(end) - now > 80)).toEqual([true, true]);
  await until(async () => (await sizes()).reserved === first.length + jobs.length);
  expect(await connector.delete(leasesOf(jobs))).toEqual([true, true]);
});

test('closing leaves nothing reserved that nobody has asked for', async () => {
  await connector.push('q', jobsOf('first', ...ids(50)));
  const own = redis(server.url).connect(context);
  await own.delete(leasesOf(await own.reserve(['q'], 1, 60_000)));
  await trip(own, 40);
  await own.close();
  expect(await sizes()).toEqual({ ready: 30, delayed: 0, reserved: 20 });
  expect(await listed()).toEqual(ids(30, 20));
});

test('after half a second one is asked for, so that signals and beats have their turn', async () => {
  await pushed(100);
  await trip(connector, 40);
  const now = process.hrtime();
  vi.spyOn(process, 'hrtime').mockReturnValue([now[0] + 1, now[1]]);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(idsOf((await trip(connector, 40)).jobs)).toEqual(ids(20, 20));
  expect((await sizes()).reserved).toBe(40);
});
