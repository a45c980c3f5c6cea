import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import {
  type Connector,
  createQueue,
  type Job,
  type Queue,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { golden } from '../support/golden.js';
import { openPhp } from '../support/php.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { type ThinkJob, ThinkQueue3 } from '../support/think-queue-3.js';
import { dumped, type Golden, type KeyContent, stored } from './golden-case.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('think-queue-3.0-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const list = '{queues:golden}';
const json = openPhp();
const clients: Redis[] = [];
let server: RedisServer;
let php: ThinkQueue3;
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
  const driver = redis({ url: server.url, queue: 'golden' });
  const context = {
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  };
  drover = driver.connect(context);
  queue = createQueue({ connections: { default: driver }, jobs: { 'app\\job\\Demo': Demo, x: Demo } });
});
afterEach(async () => {
  await drover.close();
  await queue.close();
});

/** A process of PHP: WATCH and MULTI need a connection of their own. */
function newPhp(settings: { readonly blockFor?: number } = {}): ThinkQueue3 {
  const client = server.client.duplicate();
  clients.push(client);
  return new ThinkQueue3(client, json, { queue: 'golden', ...settings });
}

async function work(...queues: string[]): Promise<void> {
  const options = queues.length > 0 ? { queues } : {};
  expect(
    await queue.worker({ stopWhenEmpty: true, tries: 0, backoff: '1h', sleep: '10ms', ...options }).run(),
  ).toBe('empty');
}

async function phpPops(): Promise<ThinkJob> {
  const job = await php.pop();
  if (job === null) throw new Error('PHP found nothing');
  return job;
}

async function droverReserves() {
  const [job] = await drover.reserve(['golden'], 1, 60_000);
  if (job === undefined) throw new Error('drover found nothing');
  return job;
}

function membersIn(keys: Readonly<Record<string, KeyContent>>): string[] {
  return Object.values(keys).flatMap((content) => {
    if (content.type === 'list') return content.items;
    return content.type === 'zset' ? content.items.map(({ member }) => member) : [];
  });
}

interface Wire {
  readonly job: string;
  readonly data: unknown;
  readonly id?: string;
  readonly attempts?: number;
}

const isDemo = ({ job }: Wire) => job === 'x' || job.startsWith('app\\job\\Demo');

test('a count of errors goes through PHP and back, and PHP sees its own payload', async () => {
  await php.push('app\\job\\Demo', { a: 1 });
  const [pushed = ''] = await server.client.lrange(list, 0, -1);
  const released = async () =>
    drover.releaseThrown?.([{ lease: (await droverReserves()).lease, delayMs: 0 }]);
  expect(await released()).toEqual([true]);
  expect(await released()).toEqual([true]);
  const waiting = pushed.replace(/"attempts":0\}$/, '"drover:exceptions":2,"attempts":2}');
  expect(await server.client.lrange(list, 0, -1)).toEqual([waiting]);

  const job = await phpPops();
  expect(job.attempts()).toBe(3);
  await job.release(0);
  await server.advance(1000);
  expect(await droverReserves()).toMatchObject({ body: pushed, attempts: 4, exceptions: 2 });
});

describe('what each recorded case left behind', () => {
  test.each(cases)('$name: drover works it all, with the data and attempts that PHP wrote', async (one) => {
    await stored(server.client, one.keys_after);
    await server.advance(1e13);
    await work('golden', 'default');
    const members = membersIn(one.keys_after);
    const wires: Wire[] = members.map((member) => JSON.parse(member));
    const runnable = wires.filter((wire) => isDemo(wire) && wire.attempts !== undefined);
    const wanted = runnable.map(({ job, data = null, attempts = 0, id = '' }) => ({
      name: job,
      data,
      attempts: attempts + 1,
      id,
    }));
    const inOrder = (a: { id: string; attempts: number }, b: typeof a) =>
      a.id === b.id ? a.attempts - b.attempts : a.id < b.id ? -1 : 1;
    expect(ran.sort(inOrder)).toEqual(wanted.sort(inOrder));
    const others = members.filter((_, index) => !runnable.includes(wires[index] as Wire));
    const failed = await queue.failed.list();
    // An object job is PHP's alone: it is tried again until its tries are used up, and none are set here.
    const kept = [...failed.map(({ payload }) => payload), ...membersIn(await dumpedQueues())];
    expect(kept.map(withoutAttempts).sort()).toEqual(others.map(withoutAttempts).sort());
  });

  async function dumpedQueues(): Promise<Record<string, KeyContent>> {
    const found = await dumped(server.client, '{queues:*');
    return Object.fromEntries(Object.entries(found).filter(([key]) => !/:(?:ids|bodies)$/.test(key)));
  }

  const withoutAttempts = (text: string) => text.replace(/"attempts":\d+}$/, '"attempts":N}');
});

describe('PHP pushes', () => {
  test.each([
    'push',
    'push_default_queue',
    'push_at_method',
    'later',
    'later_datetime',
    'later_interval',
    'bulk',
  ])('%s: drover runs it once and leaves nothing', async (name) => {
    for (const [command = '', key = '', ...rest] of of(name).commands)
      await server.client.call(command, key, ...rest);
    const wires: Wire[] = of(name).commands.map((command) => JSON.parse(command.at(-1) ?? ''));
    await work('golden', 'default');
    const isLater = name.startsWith('later');
    const wanted = wires.map(({ job, data, id }) => ({ name: job, data, attempts: 1, id }));
    // The recorded times lie in the past or the future of the machine that runs this.
    if (isLater && ran.length === 0) {
      await server.advance(1e12);
      await work('golden');
    }
    expect(ran).toEqual(wanted);
    expect(await server.keys()).toEqual([]);
  });

  test('later: not before its time', async () => {
    await php.later(60, 'x', 'later');
    await work();
    expect(ran).toEqual([]);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
    await server.advance(62_000);
    await work();
    expect(ran).toMatchObject([{ data: 'later', attempts: 1 }]);
  });

  test.each([
    ['pop_raw_without_attempts', '{"job":"x"}', 'attempts in the payload is missing'],
    ['pop_element_0', '0', 'not a JSON object'],
    ['pop_not_json', 'not json', 'not JSON'],
  ])('%s: what PHP loses, drover keeps raw, and the neighbours run', async (name, text, reason) => {
    const neighbour = '{"job":"x","data":1,"id":"good","attempts":0}';
    await server.client.rpush(list, text, neighbour);
    await php.pop().catch(() => undefined);
    expect(await dumped(server.client)).toEqual({ [list]: { type: 'list', items: [neighbour] } });
    expect(of(name).keys_after).toEqual({});

    await server.client.lpush(list, text);
    await work();
    expect(ran.map(({ id }) => id)).toEqual(['good']);
    const records = await queue.failed.list();
    expect(records.map(({ payload }) => payload)).toEqual([text]);
    expect(records[0]?.message).toContain(reason);
  });
});

describe('drover pushes', () => {
  const data = {
    name: '中文/emoji 😀 "q" \\',
    list: [1, 2],
    nil: null,
    t: true,
    f: 1.5,
    deep: { a: [{ b: '\u2028' }] },
  };

  test('PHP runs it with the same data, attempts 1, and leaves nothing', async () => {
    const id = await queue.push('x', data);
    const job = await phpPops();
    expect([job.id, job.name, job.attempts(), job.data]).toEqual([id, 'x', 1, data]);
    expect(await php.size()).toBe(1);
    await job.delete();
    expect(await server.keys()).toEqual([]);
  });

  test('to PHP its bytes mean what those of a PHP push mean', async () => {
    const id = await queue.push('app\\job\\Demo', data);
    const [ours = ''] = await server.client.lrange(list, 0, -1);
    await server.client.del(list);
    const again = new ThinkQueue3(server.client, json, { queue: 'golden', newId: () => id });
    await again.push('app\\job\\Demo', data);
    const [theirs = ''] = await server.client.lrange(list, 0, -1);
    // One field more, of which PHP takes no notice, stands before the last two.
    expect(ours).toMatch(/,"dueAt":\d+,"id":"[^"]*","attempts":0}$/);
    expect(await json.recode(ours.replace(/"dueAt":\d+,/, ''))).toBe(theirs);
  });

  test('a delayed job reaches PHP once it is due', async () => {
    await queue.push('x', 1, { delay: '60s' });
    expect(await php.pop()).toBeNull();
    await server.advance(62_000);
    expect(await phpPops()).toMatchObject({ data: 1 });
  });

  test('a job reaches PHP where it blocks for one', async () => {
    const popped = newPhp({ blockFor: 20 }).pop();
    await queue.push('x', 'woken');
    expect(await popped).toMatchObject({ data: 'woken' });
  });

  test('bulk comes in order', async () => {
    await queue.bulk('x', [1, 2, 3]);
    expect([(await phpPops()).data, (await phpPops()).data, (await phpPops()).data]).toEqual([1, 2, 3]);
  });
});

describe('attempts cross from one to the other', () => {
  test('five releases by turns: six deliveries, one job, the same data', async () => {
    const data = { a: [1, { b: 'é/x' }], n: null };
    await queue.push('x', data);
    for (let turn = 1; turn <= 6; turn += 2) {
      const theirs = await phpPops();
      expect([theirs.attempts(), theirs.data]).toEqual([turn, data]);
      await theirs.release(0);
      expect(await php.size()).toBe(1);
      const ours = await droverReserves();
      expect([ours.attempts, JSON.parse(ours.body).data]).toEqual([turn + 1, data]);
      if (turn < 5) await drover.release([{ lease: ours.lease, delayMs: 0 }]);
      else await drover.delete([ours.lease]);
      expect(await php.size()).toBe(turn < 5 ? 1 : 0);
    }
    expect(await server.keys()).toEqual([]);
  });

  test('a job that drover dies with is PHP’s once the lease lapses', async () => {
    const id = await queue.push('x', 1);
    const lost = await droverReserves();
    expect(await php.pop()).toBeNull();
    await server.advance(62_000);
    const job = await phpPops();
    expect([job.id, job.attempts(), job.data]).toEqual([id, 2, 1]);
    // PHP keeps the field that it does not know, and writes attempts last.
    expect(job.reserved).toMatch(/,"lease":"[0-9a-f]{32}","attempts":2}$/);
    const before = await dumped(server.client);
    expect(await drover.extend([lost.lease], 60_000)).toEqual([false]);
    expect(await drover.release([{ lease: lost.lease, delayMs: 0 }])).toEqual([false]);
    expect(await drover.unreserve?.([lost.lease])).toEqual([false]);
    expect(await drover.delete([lost.lease])).toEqual([false]);
    expect(await dumped(server.client)).toEqual(before);

    await job.release(0);
    await work();
    expect(ran).toEqual([{ name: 'x', data: 1, attempts: 3, id }]);
    expect(await server.keys()).toEqual([]);
  });

  test('a job that PHP dies with is drover’s once PHP’s time is over', async () => {
    await php.push('x', 1);
    const lost = await phpPops();
    await work();
    expect(ran).toEqual([]);
    await server.advance(62_000);
    behaviour = () => lost.delete(); // comes too late, and finds nothing
    await work();
    expect(ran).toMatchObject([{ data: 1, attempts: 2 }]);
    expect(await server.keys()).toEqual([]);
  });

  test('PHP’s stale release makes a second job of one, as among PHP workers; drover’s own stays whole', async () => {
    await php.push('x', 1);
    const stale = await phpPops();
    await server.advance(62_000);
    const ours = await droverReserves();
    await stale.release(0);
    expect(await queue.size()).toEqual({ ready: 1, delayed: 0, reserved: 1 });
    expect(await drover.delete([ours.lease])).toEqual([true]);
    await work();
    expect(ran).toMatchObject([{ data: 1, attempts: 2 }]);
    expect(await server.keys()).toEqual([]);
  });

  test('a member that PHP re-encoded from foreign JSON', async () => {
    const { rawBody, reserved } = of('pop_foreign_encoding').result as { rawBody: string; reserved: string };
    await server.client.rpush(list, rawBody);
    const job = await phpPops();
    expect(job.reserved).toBe(reserved);
    await job.release(0);
    await work();
    expect(ran).toEqual([
      { name: 'app\\job\\Demo', data: JSON.parse(reserved).data, attempts: 2, id: 'fromnode' },
    ]);
  });
});

describe('both move what is due', () => {
  const ids = Array.from({ length: 205 }, (_, index) => String(index).padStart(3, '0'));
  const member = (id: string) => `{"job":"x","data":1,"id":"${id}","attempts":0}`;
  const key = `${list}:delayed`;

  beforeEach(async () => {
    await server.client.zadd(key, ...ids.flatMap((id) => ['1000', member(id)]));
  });

  test('drover, while PHP is about to: PHP’s move is off, all come once and in order', async () => {
    let ours: string[] = [];
    const theirs = await php.pop('golden', async (moment) => {
      if (moment !== 'before-multi') return;
      const jobs = await drover.reserve(['golden'], 200, 60_000);
      ours = jobs.map(({ id }) => id);
    });
    expect(ours).toEqual(ids.slice(0, 200));
    expect(theirs?.id).toBe('200');
    await work();
    expect(ran.map(({ id }) => id)).toEqual(ids.slice(201));
  });

  test('PHP, and drover takes over', async () => {
    expect((await phpPops()).id).toBe('000');
    expect(await queue.size()).toEqual({ ready: 204, delayed: 0, reserved: 1 });
    await work();
    expect(ran.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  test('two of each at once: each job is one worker’s', async () => {
    await queue.bulk('x', new Array(400).fill('more'));
    const byPhp: (string | null)[] = [];
    const drain = async (worker: ThinkQueue3): Promise<void> => {
      // A move that another client disturbed is off, and the list may be empty until the next one.
      while ((await worker.size()) > 0) {
        const job = await worker.pop();
        if (job === null) continue;
        byPhp.push(job.id);
        await job.delete();
      }
    };
    await Promise.all([drain(newPhp()), drain(newPhp()), work(), work()]);
    const all = [...byPhp, ...ran.map(({ id }) => id)];
    expect([all.length, new Set(all).size]).toEqual([605, 605]);
    expect(ran.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(await server.keys()).toEqual([]);
  });
});

test('size: PHP’s one number is the sum of drover’s three', async () => {
  await queue.bulk('x', [1, 2, 3]);
  await php.push('x');
  await queue.push('x', 4, { delay: '1h' });
  await php.later(3600, 'x');
  await phpPops();
  await droverReserves();
  expect(await queue.size()).toEqual({ ready: 2, delayed: 2, reserved: 2 });
  expect(await php.size()).toBe(6);
  await server.client.flushall();
  await stored(server.client, of('size').keys_after);
  expect(await php.size()).toBe(of('size').result);
  const { ready, delayed, reserved } = await queue.size();
  expect(ready + delayed + reserved).toBe(of('size').result);
});
