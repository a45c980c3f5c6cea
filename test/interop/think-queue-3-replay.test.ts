import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { golden } from '../support/golden.js';
import { openPhp } from '../support/php.js';
import type { RedisServer } from '../support/redis-server.js';
import { replayRedis } from '../support/replay-redis.js';
import { type ThinkJob, ThinkQueue3, type ThinkQueueSettings } from '../support/think-queue-3.js';
import { due, dumped, type Golden, type KeyContent, shortened, stored } from './golden-case.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('think-queue-3.0-redis');
const recorded = new Map(cases.map((one) => [one.name, one]));
const of = (name: string): Golden => recorded.get(name) as Golden;

interface Replay {
  /** What stands in Redis before, where not nothing: by key, or as an earlier case left it. */
  readonly before?: string | Readonly<Record<string, KeyContent>>;
  readonly settings?: ThinkQueueSettings;
  /** The call as it was recorded. */
  readonly call: (php: ThinkQueue3, others: Redis) => Promise<unknown>;
  /** Where the recording has nothing but what the case left behind was cleared away. */
  readonly afterwards?: (server: RedisServer) => Promise<void>;
}

const data = {
  name: '中文/emoji 😀 "quoted" \\ back',
  n: 1,
  f: 1.5,
  z: 1.0,
  big: 9223372036854775807n,
  empty_arr: [],
  empty_obj: {},
  nil: null,
  t: true,
  list: [1, 2],
  html: "<a href='x'>&</a>",
  ls: '\u2028\u2029\u007f\u0001',
};

const list = '{queues:golden}';
const pop = (php: ThinkQueue3) => php.pop('golden').then(described);
const listOf = (...items: string[]): Readonly<Record<string, KeyContent>> => ({
  [list]: { type: 'list', items },
});
const simple = (id: number | string) => `{"job":"x","id":"${id}","attempts":0}`;

/** The state that a case began with: what an earlier one left, its scores being due by now. */
const leftDue = (name: string, { unix_before: now }: Golden) => due(of(name).keys_after, now);

const replays: Readonly<Record<string, Replay>> = {
  push: { call: (php) => php.push('app\\job\\Demo', data, 'golden') },
  push_default_queue: { call: (php) => php.push('app\\job\\Demo') },
  pop: { before: 'push', call: pop },
  delete: { before: 'pop', call: (php) => heldAfter('pop', php).delete() },
  push_at_method: { call: (php) => php.push('app\\job\\Demo@task1', 'scalar', 'golden') },
  pop_for_release: { before: 'push_at_method', call: pop },
  release: { before: 'pop_for_release', call: (php) => heldAfter('pop_for_release', php).release(30) },
  pop_migrates_delayed: { before: leftDue('release', of('pop_migrates_delayed')), call: pop },
  pop_migrates_expired_reserved: {
    before: leftDue('pop_migrates_delayed', of('pop_migrates_expired_reserved')),
    call: pop,
  },
  stale_delete: {
    before: 'pop_migrates_expired_reserved',
    call: (php) => heldAfter('pop_migrates_delayed', php).delete(),
  },
  stale_release: {
    before: 'stale_delete',
    call: (php) => heldAfter('pop_migrates_delayed', php).release(0),
  },
  later: { call: (php) => php.later(60, 'app\\job\\Demo', { a: 1 }, 'golden') },
  later_datetime: {
    before: 'later',
    call: (php) => php.later(new Date('2030-01-02T03:04:05Z'), 'app\\job\\Demo', { a: 1 }, 'golden'),
  },
  later_interval: {
    before: 'later_datetime',
    call: (php) => php.later(90, 'app\\job\\Demo', { a: 1 }, 'golden'),
  },
  size: { before: 'later_interval', call: (php) => php.size('golden') },
  bulk: { call: (php) => php.bulk(['app\\job\\Demo', 'app\\job\\Demo@task1'], 'd', 'golden') },
  push_object: {
    call: (php) =>
      php.pushObject(
        {
          commandName: 'app\\job\\ObjJob',
          command:
            'O:14:"app\\job\\ObjJob":3:{s:4:"name";s:1:"n";s:9:"\0*\0secret";s:1:"s";s:17:"\0app\\job\\ObjJob\0n";i:1;}',
        },
        'golden',
      ),
  },
  push_object_options: {
    call: (php) =>
      php.pushObject(
        {
          commandName: 'app\\job\\ObjJobOpts',
          command:
            'O:18:"app\\job\\ObjJobOpts":9:{s:4:"name";s:1:"n";s:9:"\0*\0secret";s:1:"s";s:17:"\0app\\job\\ObjJob\0n";i:1;s:5:"tries";i:3;s:7:"timeout";i:30;s:9:"timeoutAt";i:1900000000;s:10:"connection";N;s:5:"queue";N;s:5:"delay";N;}',
          tries: 3,
          timeout: 30,
          timeoutAt: 1900000000,
        },
        'golden',
      ),
  },
  pushRaw: { call: (php) => php.pushRaw('{"job":"x"}', 'golden') },
  pop_raw_without_attempts: { before: 'pushRaw', call: pop },
  pop_element_0: { before: listOf('0'), call: pop },
  pop_not_json: { before: listOf('not json'), call: pop },
  pop_foreign_encoding: {
    before: listOf(
      '{"job":"app\\\\job\\\\Demo","maxTries":null,"timeout":null,"data":{"o":{},"f":1.0,"e":1e3,"big":12345678901234567890,"u":"é/x","neg0":-0.0,"s":0.1,"tiny":1e-7,"n":1e22},"id":"fromnode","attempts":0}',
    ),
    call: pop,
  },
  migrate_205: {
    before: {
      [`${list}:delayed`]: {
        type: 'zset',
        items: Array.from({ length: 205 }, (_, index) => ({ member: simple(index), score: String(index) })),
      },
    },
    call: async (php) => {
      await php.pop('golden');
      return null;
    },
    afterwards: async ({ client }) => {
      const rest = Array.from({ length: 204 }, (_, index) => simple(index + 1));
      expect(await client.lrange(list, 0, -1)).toEqual(rest);
      expect(await client.zrange(`${list}:reserved`, '0', '-1')).toEqual([simple(0).replace('0}', '1}')]);
      await client.del(list, `${list}:reserved`);
    },
  },
  migrate_watch_conflict: {
    before: {
      [`${list}:delayed`]: { type: 'zset', items: [{ member: simple('a'), score: '1795217622' }] },
    },
    call: async (php, others) => {
      const job = await php.pop('golden', async (moment) => {
        if (moment === 'before-multi') await others.zadd(`${list}:delayed`, 1795217623, simple('b'));
      });
      return job;
    },
  },
  block_for_hit: {
    before: { [`${list}:delayed`]: { type: 'zset', items: [{ member: simple('a'), score: '1' }] } },
    settings: { blockFor: 1, retryAfter: 90 },
    call: pop,
  },
  block_for_miss: { before: 'block_for_hit', settings: { blockFor: 1 }, call: pop },
  retry_after_null: { before: listOf(simple('a')), settings: { retryAfter: null }, call: pop },
  pop_empty: { call: pop },
  queue_restart: { call: (php) => php.restart() },
  queue_restart_prefix: { call: (php) => php.restart('app:') },
};

function described(job: ThinkJob | null): unknown {
  return (
    job && {
      jobId: job.id,
      'attempts()': job.attempts(),
      rawBody: job.rawBody,
      reserved: job.reserved,
      'getQueue()': job.queue,
      'getName()': job.name,
    }
  );
}

/** The job that the pop of an earlier case answered. */
function heldAfter(name: string, php: ThinkQueue3): ThinkJob {
  const [, , member = ''] =
    of(name)
      .commands.findLast(([command]) => command === 'ZADD')
      ?.slice(1) ?? [];
  return php.reservedJob(member, '', 'golden');
}

const replay = replayRedis();
const json = openPhp();
afterAll(() => json.close());

test('every recorded case is replayed', () => {
  expect(Object.keys(replays)).toEqual(cases.map(({ name }) => name));
  expect(cases.length).toBe(31);
});

test.each(cases)('$name: the same commands, keys and answer', async (one) => {
  const { before = {}, settings, call, afterwards } = replays[one.name] as Replay;
  await replay.server.client.flushall();
  await stored(replay.server.client, typeof before === 'string' ? of(before).keys_after : before);
  const ids = one.commands.flatMap((command) => /"id":"(\w+)"/.exec(command.at(-1) ?? '')?.[1] ?? []);
  const php = new ThinkQueue3(replay.connection, json, {
    now: () => one.unix_before,
    newId: () => ids.shift() ?? 'none',
    ...settings,
  });

  const work = () => call(php, replay.server.client).catch((error: Error) => ({ thrown: error.message }));
  const { result, commands } = await replay.monitor.during(work);

  expect(commands.map(shortened)).toEqual(one.commands);
  await afterwards?.(replay.server);
  expect(await dumped(replay.server.client)).toEqual(one.keys_after);
  if (one.exception !== undefined) {
    const { thrown } = result as { readonly thrown: string };
    expect(`think\\exception\\ErrorException: ${thrown}`).toBe(one.exception);
  } else if (typeof one.result === 'object' && one.result !== null) {
    expect(result).toMatchObject(one.result);
  } else if (!one.name.startsWith('queue_restart')) {
    expect(result ?? null).toBe(one.result);
  }
});
