import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { think1Format } from '../../drivers/redis/think-1-format.js';
import {
  type Connector,
  createQueue,
  type Job,
  type Queue,
  type ReservedJob,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { golden } from '../support/golden.js';
import { workTogether } from '../support/mixed-workers.js';
import { openPhp } from '../support/php.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { type ThinkJob1, ThinkQueue1 } from '../support/think-queue-1.js';
import { dumped, type Golden, type KeyContent, stored } from './golden-case.js';
import { beforeCase, think1Data } from './think-queue-1-states.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('think-queue-1.1.6-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const list = 'queues:golden';
const json = openPhp();
const clients: Redis[] = [];
let server: RedisServer;
let php: ThinkQueue1;
let drover: Connector;
let queue: Queue;
let ran: { name: string; data: unknown; attempts: number; id: string }[];
/** What the handlers do, besides being noted. */
let behaviour: (job: Job) => unknown;

class Demo {
  fire(job: Job, data: unknown) {
    return Demo.note(job, data);
  }
  task1(job: Job, data: unknown) {
    return Demo.note(job, data);
  }
  static async note(job: Job, data: unknown) {
    ran.push({ name: job.name, data, attempts: job.attempts(), id: job.id });
    await behaviour(job);
  }
}

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  json.close();
  for (const client of clients) client.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await server.client.flushall();
  php = newPhp();
  ran = [];
  behaviour = () => {};
  const driver = redis({ url: server.url, queue: 'golden', wire: 'think-1' });
  drover = driver.connect({
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  });
  queue = createQueue({ connections: { default: driver }, jobs: { 'app\\job\\Demo': Demo, x: Demo } });
});
afterEach(async () => {
  await drover.close();
  await queue.close();
});

/** A process of PHP: WATCH and MULTI need a connection of their own. */
function newPhp(): ThinkQueue1 {
  const client = server.client.duplicate();
  clients.push(client);
  return new ThinkQueue1(client, json, { queue: 'golden' });
}

async function work(...queues: string[]): Promise<void> {
  const options = queues.length > 0 ? { queues } : {};
  await queue.worker({ stopWhenEmpty: true, tries: 0, backoff: '1h', sleep: '10ms', ...options }).run();
}

async function phpPops(): Promise<ThinkJob1> {
  const job = await php.pop();
  if (job === null) throw new Error('PHP found nothing');
  return job;
}

async function droverReserves(): Promise<ReservedJob> {
  const [job] = await drover.reserve(['golden'], 1, 60_000);
  if (job === undefined) throw new Error('drover found nothing');
  return job;
}

type Keys = Readonly<Record<string, KeyContent>>;

const membersOf = (content: KeyContent | undefined): readonly string[] => {
  if (content?.type === 'list') return content.items;
  return content?.type === 'zset' ? content.items.map(({ member }) => member) : [];
};
const membersIn = (keys: Keys): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(keys).map(([key, content]) => [key, membersOf(content)]));

/** How many seconds from now the score of the one member is. */
async function secondsUntil(key: string): Promise<number> {
  const [, score] = await server.client.zrange(key, '0', '0', 'WITHSCORES');
  return Number(score) - (await server.now()) / 1000;
}

describe('in the place of PHP, from what stood before each recorded case', () => {
  test.each(['push', 'push_at_method', 'push_null_data', 'later'])('%s: the same payload', async (name) => {
    const text = of(name).commands[0]?.at(-1) ?? '';
    const { job, id } = JSON.parse(text);
    const data = { push: think1Data, push_at_method: 'scalar', push_null_data: null, later: { a: 1 } }[name];
    const ours = think1Format.encode({ job, data, id, maxTries: null, timeout: null });
    // PHP makes `{}` a list, and so it will be once PHP has written the payload again.
    expect(await json.recode(ours)).toBe(text);
    if (name !== 'push') expect(ours).toBe(text);
  });

  test.each([
    'pop',
    'pop_for_release',
    'pop_migrates_delayed',
    'pop_migrates_expired_reserved',
    'pop_foreign_encoding',
    'migrate_3',
  ])('%s: the same members, and delete leaves nothing of them', async (name) => {
    const one = of(name);
    await stored(server.client, beforeCase(name));
    const job = await droverReserves();
    expect(membersIn(await dumped(server.client))).toEqual(membersIn(one.keys_after));
    expect(await secondsUntil(`${list}:reserved`)).toBeGreaterThan(59);
    expect(await secondsUntil(`${list}:reserved`)).toBeLessThan(60.2);
    const { 'attempts()': attempts = 1 } = (one.result ?? {}) as { 'attempts()'?: number };
    expect(job.attempts).toBe(attempts);
    expect(await drover.delete([job.lease])).toEqual([true]);
    expect(await server.keys()).toEqual(name === 'migrate_3' ? [list] : []);
  });

  test.each([
    ['release', 'pop_for_release', 30],
    ['release_foreign_encoding', 'pop_foreign_encoding', 5],
  ])('%s: the same job, one attempt further', async (name, popped, delay) => {
    await stored(server.client, beforeCase(popped));
    const { lease } = await droverReserves();
    expect(await drover.release([{ lease, delayMs: delay * 1000 }])).toEqual([true]);
    const [ours = ''] = membersOf((await dumped(server.client))[`${list}:delayed`]);
    const [theirs = ''] = membersOf(of(name).keys_after[`${list}:delayed`]);
    expect(await json.recode(ours)).toBe(theirs);
    if (name === 'release') expect(ours).toBe(theirs);
    else expect(ours).toContain('"data":{"o":{},"f":1.0,"u":"é/x"}'); // nothing but the number was touched
    expect(await secondsUntil(`${list}:delayed`)).toBeGreaterThan(delay - 1);
  });

  test('stale_delete, stale_release: neither takes the job from its new holder, nor makes a second one', async () => {
    await stored(server.client, beforeCase('pop_for_release'));
    const stale = await droverReserves();
    await server.advance(62_000);
    const fresh = await droverReserves();
    const before = await dumped(server.client);
    expect(fresh.attempts).toBe(2);
    expect(await drover.delete([stale.lease])).toEqual([false]);
    expect(await drover.release([{ lease: stale.lease, delayMs: 0 }])).toEqual([false]);
    expect(await drover.extend([stale.lease], 60_000)).toEqual([false]);
    expect(await drover.unreserve?.([stale.lease])).toEqual([false]);
    expect(await dumped(server.client)).toEqual(before);
    expect(await drover.extend([fresh.lease], 60_000)).toEqual([true]);
    expect(await drover.delete([fresh.lease])).toEqual([true]);
  });

  test('a stale lease does not fit a later one of the very same bytes', async () => {
    await stored(server.client, beforeCase('pop'));
    const stale = await droverReserves();
    await drover.unreserve?.([stale.lease]);
    const fresh = await droverReserves();
    expect(fresh.body).toBe(stale.body);
    expect(await drover.delete([stale.lease])).toEqual([false]);
    await drover.unreserve?.([fresh.lease]);
    await phpPops();
    expect(await drover.delete([stale.lease, fresh.lease])).toEqual([false, false]);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 1 });
  });

  test.each(['pop_without_attempts', 'expired_without_attempts'])(
    '%s: what PHP trips over for ever goes to the failed jobs, and its neighbours run',
    async (name) => {
      await stored(server.client, of(name).keys_after);
      const good = '{"job":"x","data":1,"id":"good","attempts":1}';
      await server.client.zadd(`${list}:reserved`, '5', good);
      await server.advance(1e12);
      expect(await php.pop()).toBeNull(); // the good one is stuck beside it
      await work();
      expect(ran).toEqual([{ name: 'x', data: 1, attempts: 2, id: 'good' }]);
      const [failed] = await queue.failed.list();
      expect(failed).toMatchObject({
        reason: 'bad-payload',
        payload: '{"job":"app\\\\job\\\\Demo","data":1}',
      });
      expect(failed?.message).toContain('attempts in the payload is missing');
      expect(await server.client.exists(list, `${list}:reserved`, `${list}:bodies`)).toBe(0);
    },
  );
});

describe('what each recorded case left behind', () => {
  const jobCases = cases.filter(({ name }) => name !== 'queue_restart');

  test.each(jobCases)(
    '$name: drover works it all, with the data and attempts that PHP wrote',
    async (one) => {
      await stored(server.client, one.keys_after);
      await server.advance(1e13);
      await work('golden', 'default');
      const wanted = Object.entries(membersIn(one.keys_after)).flatMap(([key, members]) =>
        members
          .map((member) => JSON.parse(member))
          .filter(({ job, attempts }) => !job.startsWith('think\\') && attempts !== undefined)
          .map(({ job, data = null, attempts, id = '' }) => {
            return { name: job, data, id, attempts: attempts + (key.endsWith(':reserved') ? 1 : 0) };
          }),
      );
      const byId = (a: { id: string; attempts: number }, b: typeof a) =>
        a.id === b.id ? a.attempts - b.attempts : a.id < b.id ? -1 : 1;
      expect(ran.sort(byId)).toEqual(wanted.sort(byId));
    },
  );

  test('push_object: an object job is given up with its reason, and its bytes are kept', async () => {
    const member = of('push_object').commands[0]?.at(-1) ?? '';
    await server.client.rpush(list, member);
    await queue.push('x', 'neighbour');
    await queue.worker({ stopWhenEmpty: true, tries: 1, backoff: 0, unknownJobPatience: 0 }).run();
    expect(ran).toMatchObject([{ data: 'neighbour' }]);
    expect(await queue.failed.list()).toMatchObject([
      { reason: 'unknown-job', name: 'app\\job\\ObjJob', payload: member },
    ]);
  });
});

describe('from one to the other', () => {
  const data = {
    name: '中文/😀 "q" \\',
    list: [1, 2],
    nil: null,
    t: true,
    f: 1.5,
    deep: { a: [{ b: '\u2028' }] },
  };

  test('drover pushes, and PHP gets the same data at its first attempt', async () => {
    const id = await queue.push('x', data);
    const job = await phpPops();
    expect(JSON.parse(job.rawBody)).toEqual({ job: 'x', data, id, attempts: 1 });
    expect(job.rawBody).toMatch(/^[\0-\x7f]*$/); // what a table of three-byte characters takes
    await job.delete();
    expect(await server.keys()).toEqual([]);
  });

  test('five releases by turns: six deliveries, one job, the same data', async () => {
    await queue.push('x', data);
    for (let turn = 1; turn <= 6; turn += 2) {
      const theirs = await phpPops();
      expect([theirs.attempts(), JSON.parse(theirs.rawBody).data]).toEqual([turn, data]);
      await theirs.release(0);
      const ours = await droverReserves();
      expect([ours.attempts, JSON.parse(ours.body).data]).toEqual([turn + 1, data]);
      if (turn < 5) await drover.release([{ lease: ours.lease, delayMs: 0 }]);
      else await drover.delete([ours.lease]);
    }
    expect(await server.keys()).toEqual([]);
  });

  test('a job that drover dies with is PHP’s once the lease lapses, and drover’s lease is void', async () => {
    await queue.push('x', 1);
    const lost = await droverReserves();
    expect(await php.pop()).toBeNull();
    await server.advance(62_000);
    const job = await phpPops();
    expect(job.attempts()).toBe(2);
    expect(await drover.delete([lost.lease])).toEqual([false]);
    await job.delete();
    expect(await server.keys()).toEqual([]);
  });

  test('a job that PHP dies with is drover’s once PHP’s time is over; PHP’s late delete finds nothing', async () => {
    await php.push('x', 1);
    const lost = await phpPops();
    await server.advance(62_000);
    behaviour = () => lost.delete();
    await work();
    expect(ran).toMatchObject([{ data: 1, attempts: 2 }]);
    expect(await server.keys()).toEqual([]);
  });

  test('later, both ways: not before its time', async () => {
    await php.later(60, 'x', 'by PHP');
    await queue.push('x', 'by drover', { delay: '60s' });
    expect(await php.pop()).toBeNull();
    await work();
    expect(ran).toEqual([]);
    await server.advance(62_000);
    expect(JSON.parse((await phpPops()).rawBody).data).toBe('by PHP');
    await work();
    expect(ran).toMatchObject([{ data: 'by drover', attempts: 1 }]);
  });

  test('tries that were spent on either side count', async () => {
    await php.push('x', 1);
    await (await phpPops()).release(0);
    behaviour = () => {
      throw new Error('not this time either');
    };
    await queue.worker({ stopWhenEmpty: true, tries: 2 }).run();
    expect(ran).toMatchObject([{ attempts: 2 }]);
    expect(await queue.failed.list()).toMatchObject([{ reason: 'max-tries', attempts: 2 }]);
    // A retry starts anew, with PHP's text.
    await queue.failed.retry(await queue.failed.list());
    expect((await phpPops()).attempts()).toBe(1);
  });

  test('a push that names an id is refused', async () => {
    await expect(queue.push('x', 1, { id: 'mine' })).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
  });

  test('two workers of each share 5,000 jobs: each is run, by one of them', async () => {
    await queue.bulk('x', new Array(2500).fill('by drover'));
    for (let at = 0; at < 2000; at += 500) {
      await Promise.all(Array.from({ length: 500 }, () => php.push('x', 'by PHP')));
    }
    // Due by now, and moved by whoever comes first.
    await Promise.all(Array.from({ length: 500 }, () => php.later(0, 'x', 'by PHP')));
    const workers = [newPhp(), newPhp()].map((one) => ({
      workOne: async () => {
        const job = await one.pop();
        await job?.delete();
        return job && JSON.parse(job.rawBody).id;
      },
    }));
    const byPhp = await workTogether(queue, workers, async () => {
      const { ready, delayed, reserved } = await queue.size();
      return ready + delayed + reserved;
    });
    const all = [...byPhp, ...ran.map(({ id }) => id)];
    expect([all.length, new Set(all).size]).toEqual([5000, 5000]);
    expect(Math.min(byPhp.length, ran.length)).toBeGreaterThan(0);
    expect(await server.keys()).toEqual([]);
  });
});
