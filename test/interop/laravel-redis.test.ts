import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { laravelFormat } from '../../drivers/redis/laravel-format.js';
import {
  type Connector,
  createQueue,
  type Job,
  type Payload,
  type Queue,
  type ReservedJob,
  recodePhpJson,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { golden } from '../support/golden.js';
import { type LaravelJob, LaravelQueue } from '../support/laravel-queue.js';
import { workTogether } from '../support/mixed-workers.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { dumped, type Golden, stored } from './golden-case.js';
import { beforeLaravelCase, payloadIn } from './laravel-states.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('laravel-12-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const list = 'queues:golden';
const job = 'App\\Jobs\\X';
const clients: Redis[] = [];
let server: RedisServer;
let laravel: LaravelQueue;
let drover: Connector;
let queue: Queue;
let ran: { name: string; data: unknown; attempts: number; id: string }[];
let behaviour: (job: Job) => unknown;

class X {
  fire(one: Job, data: unknown) {
    return X.note(one, data);
  }
  handle(one: Job, data: unknown) {
    return X.note(one, data);
  }
  static async note(one: Job, data: unknown) {
    ran.push({ name: one.name, data, attempts: one.attempts(), id: one.id });
    await behaviour(one);
  }
}

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await server.client.flushall();
  laravel = newLaravel();
  ran = [];
  behaviour = () => {};
  const driver = redis({ url: server.url, queue: 'golden', wire: 'laravel' });
  drover = driver.connect({
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  });
  queue = createQueue({ connections: { default: driver }, jobs: { [job]: X } });
});
afterEach(async () => {
  await drover.close();
  await queue.close();
});

function newLaravel(): LaravelQueue {
  const client = server.client.duplicate();
  clients.push(client);
  return new LaravelQueue(client, { queue: 'golden' });
}

async function work(): Promise<void> {
  await queue.worker({ stopWhenEmpty: true, tries: 0, backoff: '1h', sleep: '10ms' }).run();
}

async function laravelPops(): Promise<LaravelJob> {
  const one = await laravel.pop();
  if (one === null) throw new Error('Laravel found nothing');
  return one;
}

async function droverReserves(): Promise<ReservedJob> {
  const [one] = await drover.reserve(['golden'], 1, 60_000);
  if (one === undefined) throw new Error('drover found nothing');
  return one;
}

const notified = () => server.client.llen(`${list}:notify`);

describe('payloads', () => {
  const format = laravelFormat(() => of('push_string').unix_before * 1000);
  const plain = { job: `${job}@handle`, maxTries: null, timeout: null };

  test.each(['push_string', 'later'])('%s: a job by its name is written as Laravel writes it', (name) => {
    const text = payloadIn(of(name));
    const { uuid, id, data, delay, createdAt } = JSON.parse(text);
    const ours = format.encode({ ...plain, data, id: uuid, dueAt: (createdAt + (delay ?? 0)) * 1000 });
    // Beyond 2^53 a whole number is none that JavaScript can hold.
    const theirs = text.replace('9223372036854775807', '9223372036854775808').replace(id, uuid);
    expect(recodePhpJson(ours, { unescapedUnicode: true })).toBe(
      recodePhpJson(theirs.replace('9223372036854775808', '9.2233720368547758e+18'), {
        unescapedUnicode: true,
      }),
    );
    if (name === 'later') expect(ours).toBe(theirs);
  });

  test('options: seconds are whole, several waits stand between commas, a growing one is refused', () => {
    const asked: Payload = {
      ...plain,
      maxTries: 3,
      timeout: 1.5,
      timeoutAt: 1900000000,
      backoff: ['1s', 4.2],
      data: '',
      id: '01234567-89ab-7cde-8f01-23456789abcd',
    };
    const fields = { maxTries: 3, backoff: '1,5', timeout: 2, retryUntil: 1900000000, attempts: 0 };
    expect(JSON.parse(format.encode(asked))).toMatchObject(fields);
    expect(format.decode(format.encode(asked))).toMatchObject({
      payload: { maxTries: 3, timeout: 2, timeoutAt: 1900000000, backoff: [1, 5] },
    });
    expect(() => format.encode({ ...asked, backoff: 'exponential' })).toThrow(/growing/);
    expect(JSON.parse(format.encode({ ...asked, backoff: '3s' })).backoff).toBe(3);
  });

  test('push_object_options: what an object job asks for is read', () => {
    expect(format.decode(payloadIn(of('push_object_options')))).toMatchObject({
      payload: { maxTries: 3, timeout: 30, timeoutAt: 1900000000, backoff: [1, 5] },
    });
  });

  test.each([
    ['10 and 11', { createdAt: undefined, delay: undefined }],
    ['12', {}],
    ['13', { deleteWhenMissingModels: false }],
  ])('Laravel %s: its fields are read, and its place of attempts is found', async (_, differs) => {
    const fields = { ...JSON.parse(payloadIn(of('push_string'))), ...differs };
    const text = JSON.stringify(fields);
    await server.client.rpush(list, text);
    await work();
    expect(ran).toMatchObject([{ name: `${job}@handle`, data: fields.data, attempts: 1, id: fields.id }]);
    expect(await server.keys()).toEqual([]);
  });
});

describe('in the place of Laravel, from what stood before each recorded case', () => {
  test.each(['pop', 'pop2', 'pop_migrates'])(
    '%s: the text with one attempt more and nothing else',
    async (name) => {
      await stored(server.client, beforeLaravelCase(name));
      const raw = Object.values(beforeLaravelCase(name)).flatMap((content) => {
        if (content.type === 'list') return content.items.filter((item) => item !== '1');
        return content.type === 'zset' ? content.items.map(({ member }) => member) : [];
      });
      const reserved = await droverReserves();
      const members = await server.client.zrange(`${list}:reserved`, '0', '-1');
      expect(members).toEqual(raw.map((text) => text.replace('"attempts":0', '"attempts":1')));
      expect([reserved.attempts, reserved.body, await notified()]).toEqual([1, raw[0], 0]);
      expect(await drover.delete([reserved.lease])).toEqual([true]);
      expect(await server.keys()).toEqual([]);
    },
  );

  test('release: the member as it was reserved, due later', async () => {
    await stored(server.client, beforeLaravelCase('pop'));
    const { lease } = await droverReserves();
    const [member = ''] = await server.client.zrange(`${list}:reserved`, '0', '-1');
    await drover.release([{ lease, delayMs: 30_000 }]);
    const [waiting, score] = await server.client.zrange(`${list}:delayed`, '0', '-1', 'WITHSCORES');
    expect(waiting).toBe(member);
    expect(Number(score) - (await server.now()) / 1000).toBeGreaterThan(29);
    expect(await notified()).toBe(0);
  });

  test.each(cases)('$name: drover works what it left behind, whatever cjson made of it', async (one) => {
    await stored(server.client, one.keys_after);
    await server.advance(1e13);
    const texts = Object.entries(await dumped(server.client)).flatMap(([, content]) => {
      if (content.type === 'list') return content.items.filter((item) => item !== '1');
      return content.type === 'zset' ? content.items.map(({ member }) => member) : [];
    });
    await work();
    const wires = texts.map((text) => JSON.parse(text)).filter((wire) => wire.job !== objectJob);
    expect(ran).toEqual(
      wires.map(({ data, attempts, id }) => ({ name: `${job}@handle`, data, attempts: attempts + 1, id })),
    );
  });

  const objectJob = 'Illuminate\\Queue\\CallQueuedHandler@call';

  test('push_object: an object job is given up with its reason, and its bytes are kept', async () => {
    await stored(server.client, of('push_object').keys_after);
    const worker = { stopWhenEmpty: true, tries: 1, backoff: 0, unknownJobPatience: 0 };
    await queue.worker(worker).run();
    expect(await queue.failed.list()).toMatchObject([
      { reason: 'unknown-job', name: 'App\\Jobs\\Plain', payload: payloadIn(of('push_object')) },
    ]);
  });
});

describe('attempts are found where they are', () => {
  test.each([
    [
      'in front',
      '{"attempts":2,"job":"App\\\\Jobs\\\\X","data":{"attempts":7,"s":"\\"attempts\\":9}"},"id":"a"}',
    ],
    ['in between', '{"job":"App\\\\Jobs\\\\X","attempts" : 2 ,"data":[{"attempts":7}],"id":"a"}'],
    [
      'behind other attempts',
      '{"data":{"attempts":7},"job":"App\\\\Jobs\\\\X","id":"a","attempts":2,"z":{}}',
    ],
  ])('%s', async (_, text) => {
    await server.client.rpush(list, text);
    const found = await droverReserves();
    expect([found.id, found.attempts]).toEqual(['a', 3]);
    const [member] = await server.client.zrange(`${list}:reserved`, '0', '-1');
    expect(member).toBe(text.replace(/("attempts" ?: ?)2/, '$13'));
    await drover.unreserve?.([found.lease]);
    expect(await server.client.lrange(list, 0, -1)).toEqual([text]);
  });

  test.each([
    ['only in the data', '{"job":"App\\\\Jobs\\\\X","data":{"attempts":7},"id":"a"}'],
    ['only in a text', '{"job":"App\\\\Jobs\\\\X","data":"\\"attempts\\":7,","id":"a"}'],
    ['as a text', '{"job":"App\\\\Jobs\\\\X","data":1,"id":"a","attempts":"7"}'],
    ['as no whole number', '{"job":"App\\\\Jobs\\\\X","data":1,"id":"a","attempts":1.5}'],
    ['nowhere, for there is no JSON', 'not json'],
    [
      'too far to look for',
      `{"attempts":0,"job":"App\\\\Jobs\\\\X","data":[${'[],'.repeat(20_000)}0],"id":"a"}`,
    ],
  ])('%s: the text stays whole', async (what, text) => {
    await server.client.rpush(list, text, '{"job":"App\\\\Jobs\\\\X","data":2,"id":"good","attempts":0}');
    const [first] = await drover.reserve(['golden'], 1, 60_000);
    expect(await server.client.hvals(`${list}:bodies`)).toEqual([text]);
    await drover.unreserve?.([(first as ReservedJob).lease]);
    await work();
    const isFar = what.startsWith('too far');
    expect(ran.map(({ id }) => id).sort()).toEqual(isFar ? ['a', 'good'] : ['good']);
    expect((await queue.failed.list()).map(({ payload }) => payload)).toEqual(isFar ? [] : [text]);
  });
});

describe('two jobs of the same bytes stay two', () => {
  const text = '{"job":"App\\\\Jobs\\\\X","data":1,"id":"a","attempts":1}';

  test('while both are reserved, given back and delayed', async () => {
    await server.client.rpush(list, text, text);
    const both = await drover.reserve(['golden'], 2, 60_000);
    expect(both.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['a', 2],
      ['a', 2],
    ]);
    await drover.release(both.map(({ lease }) => ({ lease, delayMs: 60_000 })));
    expect(await queue.size()).toEqual({ ready: 0, delayed: 2, reserved: 0 });
    await server.advance(62_000);
    await work();
    expect(ran.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['a', 3],
      ['a', 3],
    ]);
    expect(await server.keys()).toEqual([]);
  });

  test('where one is delayed and the other is released', async () => {
    await server.client.zadd(`${list}:delayed`, '9999999999', text.replace(':1}', ':2}'));
    await server.client.rpush(list, text);
    const { lease } = await droverReserves();
    expect(await drover.release([{ lease, delayMs: 60_000 }])).toEqual([true]);
    expect(await queue.size()).toEqual({ ready: 1, delayed: 1, reserved: 0 });
  });
});

describe('from one to the other', () => {
  const data = { name: '中文/😀', list: [1, 2], nil: null, f: 1.5 };

  test('drover pushes, and Laravel gets the same data at its first attempt; whoever blocks is told', async () => {
    const id = await queue.push(job, data);
    expect(await notified()).toBe(1);
    const one = await laravelPops();
    expect(one.jobId).toBe(id);
    expect(JSON.parse(one.raw)).toMatchObject({
      uuid: id,
      displayName: job,
      job,
      data,
      attempts: 0,
      delay: null,
    });
    await one.delete();
    expect(await server.keys()).toEqual([]);
  });

  test('five releases by turns: six deliveries, one job', async () => {
    await queue.push(job, data);
    for (let turn = 1; turn <= 6; turn += 2) {
      const theirs = await laravelPops();
      expect([theirs.attempts(), JSON.parse(theirs.raw).data]).toEqual([turn, data]);
      await theirs.release(0);
      const ours = await droverReserves();
      expect([ours.attempts, JSON.parse(ours.body).data]).toEqual([turn + 1, data]);
      if (turn < 5) await drover.release([{ lease: ours.lease, delayMs: 0 }]);
      else await drover.delete([ours.lease]);
      expect(await notified()).toBe(await server.client.llen(list));
    }
    expect(await server.keys()).toEqual([]);
  });

  test('who dies with a job loses it to the other once its time is over', async () => {
    await queue.push(job, 1);
    const lost = await droverReserves();
    await server.advance(62_000);
    const theirs = await laravelPops();
    expect(theirs.attempts()).toBe(2);
    expect(await drover.delete([lost.lease])).toEqual([false]);
    expect(await drover.release([{ lease: lost.lease, delayMs: 0 }])).toEqual([false]);
    await server.advance(62_000);
    behaviour = () => theirs.delete();
    await work();
    expect(ran).toMatchObject([{ data: 1, attempts: 3 }]);
    expect(await server.keys()).toEqual([]);
  });

  test('there is one entry to be told by for each ready job, whatever became of the others', async () => {
    await queue.bulk(job, [1, 2, 3, 4]);
    await queue.push(job, 5, { delay: '60s' });
    const [first, second] = await drover.reserve(['golden'], 2, 60_000);
    expect(await notified()).toBe(2);
    await drover.unreserve?.([(first as ReservedJob).lease]);
    expect(await notified()).toBe(3);
    await drover.delete([(second as ReservedJob).lease]);
    await server.advance(62_000);
    await droverReserves();
    expect(await notified()).toBe(3);
    await queue.clear();
    expect(await notified()).toBe(0);
  });

  test('two workers of each share 5,000 jobs: each is run, by one of them', async () => {
    await queue.bulk(job, new Array(2500).fill('by drover'));
    for (let at = 0; at < 2500; at += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => pushed(at + index)));
    }
    const workers = [newLaravel(), newLaravel()].map((one) => ({
      workOne: async () => {
        const taken = await one.pop();
        await taken?.delete();
        return taken?.jobId ?? null;
      },
    }));
    const byLaravel = await workTogether(queue, workers, async () => {
      const { ready, delayed, reserved } = await queue.size();
      return ready + delayed + reserved;
    });
    const all = [...byLaravel, ...ran.map(({ id }) => id)];
    expect([all.length, new Set(all).size]).toEqual([5000, 5000]);
    expect(Math.min(byLaravel.length, ran.length)).toBeGreaterThan(0);
    expect(await server.keys()).toEqual([]);
  });

  const pushed = (index: number) => laravel.push(`${job}@handle`, index);
});
