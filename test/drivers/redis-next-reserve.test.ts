import { expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { nextJobScript } from '../../drivers/redis/next-job-script.js';
import { nextScript } from '../../drivers/redis/next-script.js';
import type { Connector } from '../../src/index.js';
import { context, redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest(async (ofTest, open) => {
  [server, connector] = [ofTest, open];
  await server.client.script('FLUSH');
});

const list = '{queues:q}';
const body = (id: string, data: unknown = 1) =>
  `{"job":"a","data":${JSON.stringify(data)},"id":"${id}","attempts":0}`;
const push = (...ids: string[]) =>
  connector.push(
    'q',
    ids.map((id) => ({ id, body: body(id) })),
  );
const next = (leases: Parameters<Connector['delete']>[0], limit: number) =>
  connector.deleteAndReserve?.(leases, ['q'], limit, 60_000) ?? expect.unreachable('it has the verb');
const idsOf = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => id);
const isUsed = async ({ sha } = nextScript) =>
  ((await server.client.script('EXISTS', sha)) as number[])[0] === 1;

test('a worker that gets all that it asks for takes the next by the short script', async () => {
  await push('a', 'b', 'c', 'd', 'e');
  const first = await connector.reserve(['q'], 2, 60_000);
  expect(await isUsed()).toBe(false);
  const { held, jobs } = await next(
    first.map(({ lease }) => lease),
    2,
  );
  expect(await isUsed()).toBe(true);
  expect(held).toEqual([true, true]);
  expect(jobs).toMatchObject([
    { id: 'c', queue: 'q', attempts: 1, body: body('c') },
    { id: 'd', queue: 'q', attempts: 1, body: body('d') },
  ]);
  const [c, d] = jobs.map(({ lease }) => lease.token);
  expect(String(c) < String(d)).toBe(true);
  expect(await connector.size('q')).toEqual({ ready: 1, delayed: 0, reserved: 2 });
});

test('a job is found by its token, however it was taken', async () => {
  await push('a', 'b', 'c', 'd');
  const taken = await connector.reserve(['q'], 1, 60_000);
  taken.push(...(await next([], 2)).jobs, ...(await next([], 1)).jobs);
  expect(idsOf(taken)).toEqual(['a', 'b', 'c', 'd']);
  const byToken = taken.map(({ lease, ...job }) => ({ ...job, lease: { ...lease, handle: lease.token } }));
  expect(byToken.map(({ isFoundByToken }) => isFoundByToken)).toEqual(taken.map(() => true));
  expect(await connector.bodiesOf?.(byToken)).toEqual(taken.map(({ id }) => body(id)));
  expect(await connector.delete(byToken.map(({ lease }) => lease))).toEqual(taken.map(() => true));
});

test('its leases are as others: extended, given back, settled once, and told when they were lost', async () => {
  await push('a', 'b', 'c', 'd', 'e', 'f');
  await connector.reserve(['q'], 1, 60_000);
  const { jobs } = await next([], 3);
  expect(idsOf(jobs)).toEqual(['b', 'c', 'd']);
  const [b, c, d] = jobs.map(({ lease }) => lease);
  if (!b || !c || !d) return expect.unreachable('there are three');
  expect(await connector.extend([b, c, d], 90_000)).toEqual([true, true, true]);
  expect(await connector.unreserve?.([d])).toEqual([true]);
  expect(await connector.delete([c])).toEqual([true]);
  const after = await next([b, c, d], 1);
  expect(after.held).toEqual([true, false, false]);
  expect(idsOf(after.jobs)).toEqual(['d']);
});

test('one job at a time goes by a script of its own', async () => {
  await push('a', 'b', 'c');
  const seen: string[] = [];
  for (let jobs = await connector.reserve(['q'], 1, 60_000); jobs.length > 0; ) {
    seen.push(...idsOf(jobs));
    const answer = await next(
      jobs.map(({ lease }) => lease),
      1,
    );
    expect(answer.held).toEqual([true]);
    jobs = answer.jobs;
  }
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(await isUsed(nextJobScript)).toBe(true);
  expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('a lease that was lost is told with the one job that is next', async () => {
  await push('a', 'b', 'c');
  const [a] = await connector.reserve(['q'], 1, 60_000);
  if (!a) return expect.unreachable('there are three jobs');
  expect(await connector.delete([a.lease])).toEqual([true]);
  const after = await next([a.lease], 1);
  expect(after.held).toEqual([false]);
  expect(idsOf(after.jobs)).toEqual(['b']);
  expect(await isUsed(nextJobScript)).toBe(true);
});

test('each of them has a lease of its own, which tells when it was taken', async () => {
  await push('a', 'b', 'c');
  await connector.reserve(['q'], 1, 60_000);
  const {
    jobs: [b],
  } = await next([], 1);
  const {
    jobs: [c],
  } = await next([], 1);
  if (!b || !c) return expect.unreachable('there are three jobs');
  expect(b.lease.token).not.toBe(c.lease.token);
  const [seen] = (await connector.peek?.('q', { state: 'reserved', limit: 1 })) ?? [];
  const [seconds] = (await server.client.time()) as unknown as [string];
  expect(Math.abs((seen?.reservedAtMs ?? 0) / 1000 - Number(seconds))).toBeLessThan(10);
  expect(await connector.extend([b.lease, c.lease], 90_000)).toEqual([true, true]);
  expect(await connector.delete([b.lease, c.lease, b.lease])).toEqual([true, true, false]);
});

test.each<[string, string, string]>([
  ['due', `${list}:delayed`, body('late')],
  [
    'lapsed',
    `${list}:reserved`,
    body('late')
      .replace('"att', `"lease":"${'0'.repeat(32)}","att`)
      .replace('0}', '1}'),
  ],
])('what is %s while jobs are taken one by one is found long before they end', async (_, key, member) => {
  await push(...Array.from({ length: 2000 }, (_, at) => `job-${at}`));
  let [job] = await connector.reserve(['q'], 1, 60_000);
  const take = async () => {
    [job] = (await next(job ? [job.lease] : [], 1)).jobs;
  };
  await take();
  await server.client.zadd(key, 1, member);
  while (job !== undefined && (await server.client.zcount(key, 0, 1)) > 0) await take();
  expect(await isUsed(nextJobScript)).toBe(true);
  expect((await connector.size('q')).ready).toBeGreaterThan(0);
});

test('texts of any kind come as they were pushed', async () => {
  const bodies = [
    body('a'),
    body('b', 'ä€😀'),
    body('c', '"id":"x","attempts":0}'),
    body('d', '"lease":"'.repeat(5)),
  ];
  await push('first');
  await server.client.rpush(list, ...bodies);
  await connector.reserve(['q'], 1, 60_000);
  const { jobs } = await next([], 10);
  const rest = await next([], 10);
  expect([...jobs, ...rest.jobs].map((job) => job.body)).toEqual(bodies);
  expect(idsOf([...jobs, ...rest.jobs])).toEqual(['a', 'b', 'c', 'd']);
  expect(await isUsed()).toBe(true);
  const leases = [...jobs, ...rest.jobs].map(({ lease }) => lease);
  expect(await connector.delete(leases)).toEqual([true, true, true, true]);
});

test('jobs of all sizes come in their order, however many texts the answer takes', async () => {
  const sizes = [1, 3000, 3000, 1, 3000, 9000, 9000, 1, 1, 7950, 1, 20_000];
  const bodies = sizes.map((size, at) => body(`${at}`, (at % 3 === 0 ? 'ä' : 'x').repeat(size)));
  await push('first');
  await server.client.rpush(list, ...bodies);
  await connector.reserve(['q'], 1, 60_000);
  const { jobs } = await next([], bodies.length);
  expect(await isUsed()).toBe(true);
  expect(jobs.map((job) => job.body)).toEqual(bodies);
  const leases = jobs.map(({ lease }) => lease);
  expect(await connector.delete(leases)).toEqual(leases.map(() => true));
});

test('bytes that are no text are told as such, and can be deleted', async () => {
  await push('first');
  const bytes = Buffer.from(body('a', 'xx').replace('xx', '\xff\xfe'), 'latin1');
  await server.client.rpush(list, bytes);
  await connector.reserve(['q'], 1, 60_000);
  const { jobs } = await next([], 1);
  expect(await isUsed(nextJobScript)).toBe(true);
  expect(jobs).toMatchObject([{ attempts: 1, problem: expect.stringContaining('not UTF-8') }]);
  expect(await connector.delete(jobs.map(({ lease }) => lease))).toEqual([true]);
});

test.each<[string, () => Promise<unknown>, string[]]>([
  ['a job that is due by now', () => pushDue('due'), ['c', 'due']],
  [
    'a job that was delivered before',
    () => server.client.lpush(list, body('again').replace(':0}', ':1}')),
    ['again', 'c'],
  ],
  [
    'a job with an id of its own',
    () => connector.push('q', [{ id: 'own', body: body('own'), unique: true }]),
    ['c', 'own'],
  ],
  [
    'what nobody understands',
    () => server.client.rpush(list, 'odd'),
    ['c', expect.any(String) as unknown as string],
  ],
])('%s is left to the whole script, and nothing is lost', async (_, act, expected) => {
  await push('a', 'b', 'c');
  await connector.reserve(['q'], 1, 60_000);
  const {
    jobs: [b],
  } = await next([], 1);
  if (!b) return expect.unreachable('there are three jobs');
  await act();
  const answer = await next([b.lease], 2);
  expect(answer.held).toEqual([true]);
  const more = answer.jobs.length < 2 ? (await next([], 2 - answer.jobs.length)).jobs : [];
  expect(idsOf([...answer.jobs, ...more])).toEqual(expected);
  expect((await connector.size('q')).ready).toBe(0);
});

async function pushDue(id: string): Promise<void> {
  await server.client.zadd(`${list}:delayed`, 1, body(id));
}

test('a user who may not write leases loses no job', async () => {
  await server.client.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all', '-zadd');
  const reader = redis({ url: server.url, user: 'reader', password: 'secret' }).connect(context);
  await push('a', 'b');
  await expect(reader.reserve(['q'], 1, 60_000)).rejects.toMatchObject({ code: 'E_CONFIG' });
  const args = [`${list}`, `${list}:delayed`, `${list}:reserved`, `${list}:ids`, `${list}:bodies`];
  const own = server.client.duplicate({ username: 'reader', password: 'secret' });
  expect(await own.eval(nextScript.lua, 5, ...args, '2', '60000', '0'.repeat(14))).toBe(0);
  expect(await own.eval(nextJobScript.lua, 5, ...args, '60000', '0'.repeat(18))).toBe(0);
  own.disconnect();
  await reader.close();
  expect(await server.client.llen(list)).toBe(2);
});
