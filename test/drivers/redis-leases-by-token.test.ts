import { describe, expect, test } from 'vitest';
import type { Connector, FailedJob, Lease, ReservedJob } from '../../src/index.js';
import { leasesKey, leasesOf, list, otherWorkers, reservedKey, trip } from '../support/long-jobs.js';
import { redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

/** Another worker: the next process, which knows of a job what a journal has of it. */
const another = otherWorkers(() => server);

const bodyOf = (id: string, data = 'some words') =>
  `{"job":"a","data":${JSON.stringify(data)},"id":"${id}","attempts":0}`;

async function held(count: number, queue = 'q'): Promise<ReservedJob[]> {
  const ids = Array.from({ length: count }, (_, at) => `${queue}${at}`);
  await connector.push(
    queue,
    ids.map((id) => ({ id, body: bodyOf(id) })),
  );
  const jobs = await connector.reserve([queue], count, 60_000);
  expect(jobs.map(({ id }) => id)).toEqual(ids);
  return jobs;
}

/** What a journal has of them. */
function bare(jobs: readonly ReservedJob[]): ReservedJob[] {
  expect(jobs.map(({ isFoundByToken }) => isFoundByToken)).toEqual(jobs.map(() => true));
  return jobs.map((job) => ({ ...job, body: '', lease: { ...job.lease, handle: job.lease.token } }));
}

async function one(): Promise<{ readonly byMember: Lease; readonly byToken: Lease }> {
  const jobs = await held(1);
  const [[byMember], [byToken]] = [leasesOf(jobs), leasesOf(bare(jobs))];
  return byMember && byToken ? { byMember, byToken } : expect.unreachable('there is one');
}

function recordOf(id: string): FailedJob {
  const about = { connection: 'redis', queue: 'q', name: 'a', payload: bodyOf(id), attempts: 1 } as const;
  const error = { errorClass: 'Error', message: 'no', stack: '', causes: [], host: 'here', pid: 1 };
  return { uuid: `u-${id}`, jobId: id, ...about, ...error, failedAtMs: 1, reason: 'max-tries' };
}

test('each verb finds a short job by its token', async () => {
  const next = another();
  const leases = leasesOf(bare(await held(7)));
  const [a, b, c, d, e, f, g] = leases as [Lease, Lease, Lease, Lease, Lease, Lease, Lease];
  expect(await next.extend(leases, 90_000)).toEqual(leases.map(() => true));
  expect(await next.release([{ lease: a, delayMs: 60_000 }])).toEqual([true]);
  expect(await next.postpone?.([{ lease: b, delayMs: 60_000 }])).toEqual([true]);
  expect(await next.releaseThrown?.([{ lease: c, delayMs: 60_000 }])).toEqual([true]);
  expect(await next.unreserve?.([d])).toEqual([true]);
  expect(await next.fail?.([{ lease: e, record: recordOf('q4') }])).toEqual([true]);
  expect(await next.delete([f])).toEqual([true]);
  expect((await trip(next, 1, [g])).held).toEqual([true]);
  const delayed = await server.client.zrange(`${list}:delayed`, '0', '-1');
  expect(delayed).toEqual([
    bodyOf('q0').replace('"attempts":0', '"attempts":1'),
    bodyOf('q1'),
    bodyOf('q2').replace('"attempts":0', '"drover:exceptions":1,"attempts":1'),
  ]);
  expect((await next.failedJobs?.list())?.map(({ jobId }) => jobId)).toEqual(['q4']);
  const reserved = await next.peek?.('q', { state: 'reserved', limit: 9 });
  expect(reserved?.map(({ id }) => id)).toEqual(['q3']); // given back, and taken by the trip
  expect(await server.client.exists(leasesKey)).toBe(0);
  expect(await next.delete(leases)).toEqual(leases.map(() => false));
  expect(await next.size('q')).toEqual({ ready: 0, delayed: 3, reserved: 1 });
});

test('a job with an id of its own is deleted with that', async () => {
  await connector.push('q', [{ id: 'own', body: bodyOf('own'), unique: true }]);
  const jobs = bare(await connector.reserve(['q'], 1, 60_000));
  expect(await another().delete(leasesOf(jobs))).toEqual([true]);
  expect(await server.keys()).toEqual([]);
});

test('an extension by token leaves the lease to the member as well', async () => {
  const { byMember, byToken } = await one();
  const next = another();
  expect(await next.extend([byToken], 120_000)).toEqual([true]);
  await server.advance(70_000);
  expect(await connector.extend([byMember], 60_000)).toEqual([true]);
  expect(await next.delete([byToken])).toEqual([true]);
  expect(await connector.delete([byMember])).toEqual([false]);
  expect(await server.keys()).toEqual([]);
});

test('what a worker with a full hand has left goes back at once, in its order, from two queues', async () => {
  const jobs = [...(await held(400)), ...(await held(200, 'other'))];
  await connector.push('q', [{ id: 'later', body: bodyOf('later') }]);
  const next = another();
  const others = await next.reserve(['q'], 1, 60_000);
  const left = bare(jobs);
  expect(await next.bodiesOf?.(left)).toEqual(jobs.map(({ body }) => body));
  expect(await next.unreserve?.(leasesOf(left))).toEqual(left.map(() => true));
  expect(await server.client.lrange(list, 0, -1)).toEqual(jobs.slice(0, 400).map(({ body }) => body));
  expect(await next.size('other')).toEqual({ ready: 200, delayed: 0, reserved: 0 });
  expect(await next.delete(leasesOf(others))).toEqual([true]);
  expect(await next.bodiesOf?.(left)).toEqual(left.map(() => undefined));
});

test('leases of all kinds are settled by one call', async () => {
  const short = await held(3);
  await connector.push(
    'q',
    ['odd', bodyOf('again')].map((body, at) => ({ id: `${at}`, body })),
  );
  const [, again] = await connector.reserve(['q'], 2, 60_000);
  await connector.release(again ? [{ lease: again.lease, delayMs: 0 }] : []);
  const twice = await connector.reserve(['q'], 1, 60_000);
  expect(twice.map(({ attempts, isFoundByToken }) => [attempts, isFoundByToken])).toEqual([[2, undefined]]);
  const [first, ...rest] = short;
  const jobs = [...(first ? [first] : []), ...bare(rest), ...twice];
  expect(await another().bodiesOf?.(jobs.map((job) => ({ ...job, body: '' })))).toEqual([
    ...short.map(({ body }) => body),
    bodyOf('again'),
  ]);
  expect(await another().delete(leasesOf(jobs))).toEqual(jobs.map(() => true));
});

describe('a token whose job is held by somebody else', () => {
  /** What think-queue does with what has lapsed, and with what it takes. */
  async function takenByPhp(): Promise<void> {
    const [lapsed = ''] = await server.client.zrange(reservedKey, '0', '0');
    await server.client.zrem(reservedKey, lapsed);
    const counted = lapsed.replace('"attempts":1', '"attempts":2');
    await server.client.zadd(reservedKey, Math.floor(Date.now() / 1000) + 600, counted);
  }

  async function takenByOurs(): Promise<void> {
    expect(await another().reserve(['q'], 1, 600_000)).toMatchObject([{ attempts: 2 }]);
  }

  async function putBackByPhp(): Promise<void> {
    const [lapsed = ''] = await server.client.zrange(reservedKey, '0', '0');
    await server.client.zrem(reservedKey, lapsed);
    await server.client.rpush(list, lapsed);
  }

  test.each<[string, () => Promise<void>, object]>([
    ['another worker of ours', takenByOurs, { ready: 0, delayed: 0, reserved: 1 }],
    ['PHP, which keeps the old token', takenByPhp, { ready: 0, delayed: 0, reserved: 1 }],
    ['nobody, as PHP put it back', putBackByPhp, { ready: 1, delayed: 0, reserved: 0 }],
  ])('%s, settles nothing', async (_, take, size) => {
    const { byToken } = await one();
    await server.advance(70_000);
    await take();
    const next = another();
    expect(await next.extend([byToken], 60_000)).toEqual([false]);
    expect(await next.release([{ lease: byToken, delayMs: 0 }])).toEqual([false]);
    expect(await next.postpone?.([{ lease: byToken, delayMs: 0 }])).toEqual([false]);
    expect(await next.releaseThrown?.([{ lease: byToken, delayMs: 0 }])).toEqual([false]);
    expect(await next.unreserve?.([byToken])).toEqual([false]);
    expect(await next.fail?.([{ lease: byToken, record: recordOf('q0') }])).toEqual([false]);
    expect(await next.delete([byToken])).toEqual([false]);
    const job = { id: 'q0', queue: 'q', body: '', attempts: 1, lease: byToken };
    expect(await next.bodiesOf?.([job])).toEqual([undefined]);
    expect(await next.size('q')).toEqual(size);
    expect(await next.failedJobs?.list()).toEqual([]);
  });

  test('in another queue settles nothing there', async () => {
    const { byMember, byToken } = await one();
    const astray = { ...byToken, queue: 'other' };
    expect(await another().delete([astray, byToken, astray])).toEqual([false, true, false]);
    expect(await connector.delete([byMember])).toEqual([false]);
  });

  test('that stands in the data of another job settles nothing of that', async () => {
    const { byToken } = await one();
    await connector.delete([byToken]);
    const lying = `{"job":"a","data":{"lease":"${byToken.token}","attempts":1},"id":"b","attempts":0}`;
    await connector.push('q', [{ id: 'b', body: lying }]);
    await connector.reserve(['q'], 1, 60_000);
    expect(await another().delete([byToken])).toEqual([false]);
    expect(await server.client.zcard(reservedKey)).toBe(1);
  });
});
