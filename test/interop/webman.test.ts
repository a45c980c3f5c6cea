import { beforeEach, describe, expect, test } from 'vitest';
import { consumerJob } from '../../config/consumer-job.js';
import { webman } from '../../drivers/webman/index.js';
import {
  createQueue,
  decodePhpJson,
  type FailedJob,
  type PhpValue,
  type Queue,
  recodePhpJson,
  UnrecoverableError,
  type WorkerOptions,
} from '../../src/index.js';
import { golden } from '../support/golden.js';
import { replayRedis } from '../support/replay-redis.js';
import { type PhpConsumer, Unretryable, WebmanPhp, type WebmanPhpSettings } from '../support/webman.js';
import { dumped, type Golden, type KeyContent, stored } from './golden-case.js';

const { cases, observations } = golden<{
  readonly cases: readonly Golden[];
  readonly observations: readonly { readonly name: string }[];
}>('webman-redis-queue');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const waiting = '{redis-queue}-waitinggolden';
const delayed = '{redis-queue}-delayed';
const failed = '{redis-queue}-failed';

const replay = replayRedis();
beforeEach(async () => {
  await replay.server.client.flushall();
});

/** The text of the package that a recorded case is about, as its first command has it. */
const sent = (name: string) =>
  of(name)
    .commands.flatMap((one) => one.at(-1) ?? '')
    .find((text) => text[0] === '{') ?? '';

/** What a package was before PHP noted its failures in it: what the case began with. */
function fresh(name: string): string {
  const fields = new Map(decodePhpJson(sent(name)) as ReadonlyMap<string, PhpValue>);
  for (const field of ['max_attempts', 'error']) fields.delete(field);
  return JSON.stringify(
    Object.fromEntries([...fields].map(([key, value]) => [key, key === 'attempts' ? 0 : plain(value)])),
  );
}

function plain(value: PhpValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, plain(one)]));
  return typeof value === 'bigint' ? Number(value) : Array.isArray(value) ? value.map(plain) : value;
}

const listOf = (...items: string[]): Readonly<Record<string, KeyContent>> => ({
  [waiting]: { type: 'list', items },
});
const boom = '失败/boom';

/** The consumer that was recorded, in PHP's part. */
const phpConsumer: PhpConsumer = {
  consume(data) {
    const action = data instanceof Map ? data.get('action') : undefined;
    if (action === 'throw') throw new Error(boom);
    if (action === 'unretryable') throw new Unretryable('no retry');
  },
  onConsumeFailure: (_, found) => {
    const data = found.get('data');
    return (data instanceof Map && data.get('hook')) || null;
  },
};

interface NodeSide {
  readonly queue: Queue;
  readonly consumed: unknown[];
  readonly hooked: { readonly error: unknown; readonly failed: Readonly<Record<string, unknown>> }[];
}

/** The same consumer, in ours. */
function nodeSide(
  options: { max_attempts?: number; retry_seconds?: number; prefix?: string } = {},
): NodeSide {
  const consumed: unknown[] = [];
  const hooked: NodeSide['hooked'] = [];
  const consumer = {
    consume(data: unknown) {
      consumed.push(data);
      const { action = '' } = (data ?? {}) as { action?: string };
      if (action === 'throw') throw new Error(boom);
      if (action === 'unretryable') throw new UnrecoverableError('no retry');
    },
    onConsumeFailure(error: unknown, failed: { data: unknown }) {
      hooked.push({ error, failed: { ...failed } });
      return (failed.data as { hook?: object }).hook;
    },
  };
  const found = { consumer, queue: 'golden', connection: 'webman', settings: {} };
  const queue = createQueue({
    connections: { webman: webman({ url: replay.server.url, ...options }) },
    jobs: [consumerJob('golden', new Map([['webman', found]]))],
  });
  return { queue, consumed, hooked };
}

/** Runs what is due, as one worker of ours. */
async function work({ queue }: Pick<NodeSide, 'queue'>, options: WorkerOptions = {}): Promise<void> {
  await queue.worker({ queues: ['golden'], stopWhenEmpty: true, sleep: 0.01, ...options }).run();
}

async function nodeRuns<T>(
  options: Parameters<typeof nodeSide>[0],
  use: (side: NodeSide) => Promise<T>,
): Promise<T> {
  const side = nodeSide(options);
  try {
    return await use(side);
  } finally {
    await side.queue.close();
  }
}

const phpOf = (name: string, settings: Partial<WebmanPhpSettings> = {}) =>
  new WebmanPhp(replay.connection, {
    now: () => of(name).unix_before,
    newId: () => /"id":\s*"([\d.]+)"/.exec(sent(name))?.[1] ?? 'n',
    ...settings,
  });

const data = (name: string): PhpValue => {
  // Of what is sent: an empty object is still one.
  const value = JSON.parse(sent(name)).data;
  return JSON.parse(JSON.stringify(value), (_, one) => (Number.isInteger(one) ? BigInt(one) : one));
};

const isProducers = (name: string) => /send/.test(name);

test('there are thirteen recorded cases and four observations', () => {
  expect(cases.length).toBe(13);
  expect(observations.length).toBe(4);
});

describe('the double of PHP sends what was recorded', () => {
  const delays: Record<string, number | Record<string, never>> = {
    send_delayed: 30,
    client_send_delayed: 30,
    client_send_callback: {},
  };

  test.each(cases.filter(({ name }) => isProducers(name) && name !== 'prefix_send'))('$name', async (one) => {
    const php = phpOf(one.name);
    const { commands } = await replay.monitor.during(() =>
      php.send('golden', data(one.name), delays[one.name]),
    );
    expect(commands).toEqual(one.commands.filter(([command]) => command !== 'SELECT'));
    expect(await dumped(replay.server.client)).toEqual(one.keys_after);
  });

  test('prefix_send', async () => {
    const ids = ['17952168772086861382', '1795216877.8248.1'];
    const php = phpOf('prefix_send', { prefix: 'p:', newId: () => ids.shift() ?? '' });
    await php.send('golden', 1n);
    await php.send('golden', 2n, 30);
    expect(await dumped(replay.server.client)).toEqual(of('prefix_send').keys_after);
  });

  test.each(['consume_failure_retry', 'unretryable', 'hook_changes_package'])('%s', async (name) => {
    await stored(replay.server.client, listOf(fresh(name)));
    const php = phpOf(name, { now: () => secondOf(name) });
    const { commands } = await replay.monitor.during(() => php.consumeOne('golden', phpConsumer));
    const written = (all: readonly (readonly string[])[]) =>
      all.filter(([one]) => /^(ZADD|LPUSH)$/.test(one ?? ''));
    expect(written(commands)).toEqual(written(of(name).commands));
    expect(await dumped(replay.server.client)).toEqual(of(name).keys_after);
  });

  test('delayed_order', async () => {
    const one = of('delayed_order');
    const members = one.commands.filter(([command]) => command === 'ZREM').map(([, , member = '']) => member);
    for (const [index, member] of members.entries())
      await replay.server.client.zadd(delayed, 10 - index, member);
    const php = phpOf('delayed_order');
    await php.poll();
    expect(await dumped(replay.server.client)).toEqual(one.keys_after);
  });
});

/** The second in which PHP wrote a score, less its wait of five seconds for a first failure. */
function secondOf(name: string): number {
  const score = of(name).commands.find(([command]) => command === 'ZADD')?.[2];
  return score === undefined ? of(name).unix_before : Number(score) - 5;
}

describe('a worker of ours takes what PHP sent', () => {
  test.each(cases.filter(({ name }) => isProducers(name)))('$name', async (one) => {
    await stored(replay.server.client, one.keys_after);
    await replay.server.advance(2 * 86_400_000);
    const prefix = one.name === 'prefix_send' ? { prefix: 'p:' } : {};
    await nodeRuns(prefix, async (side) => {
      const expected = Object.values(one.keys_after).flatMap((content) =>
        content.type === 'list'
          ? content.items
          : content.type === 'zset'
            ? content.items.map(({ member }) => member)
            : [],
      );
      const [live] = await side.queue.list({ queue: 'golden', state: 'ready' });
      expect(expected.map((text) => JSON.parse(text).id)).toContain(live?.id);
      await work(side);
      const inOrder = (list: readonly unknown[]) => list.map((value) => JSON.stringify(value)).sort();
      expect(inOrder(side.consumed)).toEqual(inOrder(expected.map((text) => JSON.parse(text).data)));
    });
    expect(await replay.server.keys()).toEqual([]);
  });

  test('consume_success: nothing is left', async () => {
    await stored(replay.server.client, of('client_send').keys_after);
    await nodeRuns({}, async (side) => {
      await work(side);
      expect(side.consumed).toEqual([{ action: 'ok', u: '中/文' }]);
    });
    expect(await dumped(replay.server.client)).toEqual(of('consume_success').keys_after);
  });
});

/** Scores that a run of now wrote instead of the recorded one. */
function atScore(
  recorded: Readonly<Record<string, KeyContent>>,
  seconds: number,
  around: readonly [number, number],
) {
  return Object.fromEntries(
    Object.entries(recorded).map(([key, content]) => [
      key,
      content.type === 'zset'
        ? {
            ...content,
            items: content.items.map(({ member }) => ({
              member,
              score: expect.toSatisfy(
                (score) => Number(score) >= around[0] + seconds && Number(score) <= around[1] + seconds,
              ),
            })),
          }
        : content,
    ]),
  );
}

const secondNow = async () => Math.floor((await replay.server.now()) / 1000);

/** webman's own keys, and nothing that is ours beside them. */
const ofWebman = async () => dumped(replay.server.client, '{redis-queue}-[wdf][aer][ila]*').then(withoutOurs);

function withoutOurs(keys: Record<string, KeyContent>): Record<string, KeyContent> {
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !key.includes('-drover:')));
}

describe('a worker of ours leaves what PHP would', () => {
  test('consume_failure_retry: a package of the same bytes, at now and five seconds', async () => {
    const name = 'consume_failure_retry';
    await stored(replay.server.client, listOf(fresh(name)));
    const before = await secondNow();
    await nodeRuns({}, async (side) => {
      await work(side);
      expect(side.hooked[0]?.failed).toEqual((of(name) as unknown as Calls).handler_calls[1]?.package);
    });
    expect(await ofWebman()).toEqual(atScore(of(name).keys_after, 5, [before, await secondNow()]));
  });

  test('retry_until_failed: max_attempts + 1 runs, one second more for each, then the failed list', async () => {
    const name = 'retry_until_failed';
    const written = of(name).commands.filter(([command]) => command === 'ZADD');
    await stored(replay.server.client, listOf(fresh(name)));
    await nodeRuns({ max_attempts: 2, retry_seconds: 1 }, async (side) => {
      for (const [index, [, , , member]] of written.entries()) {
        const before = await secondNow();
        await work(side, { maxJobs: 1 }); // of a second that is almost over, the retry is due at once
        const [found, score] = await replay.server.client.zrange(delayed, '0', '-1', 'WITHSCORES');
        expect(found).toBe(member);
        expect(Number(score)).toBeGreaterThanOrEqual(before + index + 1);
        expect(Number(score)).toBeLessThanOrEqual((await secondNow()) + index + 1);
        await replay.server.advance(10_000);
      }
      await work(side);
      expect(side.consumed.length).toBe(3);
      expect(side.hooked.map(({ failed }) => failed.attempts)).toEqual([0, 1, 2]);
      expect(await ofWebman()).toEqual(of(name).keys_after);
      const [record] = await side.queue.failed.list();
      expect(record).toMatchObject({
        name: 'golden',
        queue: 'golden',
        attempts: 3,
        reason: 'max-tries',
        message: boom,
      });
    });
  });

  test('unretryable: given up at once, no attempt counted, the hook not called', async () => {
    await stored(replay.server.client, listOf(fresh('unretryable')));
    await nodeRuns({}, async (side) => {
      await work(side);
      expect(side.hooked).toEqual([]);
    });
    expect(await ofWebman()).toEqual(of('unretryable').keys_after);
  });

  test('hook_changes_package: what the hook returns decides', async () => {
    const name = 'hook_changes_package';
    await stored(replay.server.client, listOf(fresh(name)));
    await nodeRuns({}, (side) => work(side));
    expect(await ofWebman()).toEqual(of(name).keys_after);
  });

  test('delayed_order: packages of other queues are moved too, the one due first going first', async () => {
    const one = of('delayed_order');
    const members = one.commands.filter(([command]) => command === 'ZREM').map(([, , member = '']) => member);
    for (const [index, member] of members.entries())
      await replay.server.client.zadd(delayed, 10 - index, member);
    await nodeRuns({}, (side) => work(side));
    // PHP moves the newest first: recorded, and no order to keep.
    expect(await replay.server.client.lrange('{redis-queue}-waitingother', 0, -1)).toEqual(members);
  });

  test('invalid_packages: what is no package is among the failed as it stood, and no neighbour is lost', async () => {
    const name = 'invalid_packages';
    const [, , , retried = ''] = of(name).commands.find(([command]) => command === 'ZADD') ?? [];
    await replay.server.client.lpush(
      waiting,
      'not json',
      '{"id":"n","queue":"golden","data":{"action":"throw"}}',
    );
    await replay.server.client.zadd(delayed, 1, 'bad delayed');
    const before = await secondNow();
    await nodeRuns({}, async (side) => {
      await work(side);
      expect(side.hooked.map(({ failed }) => failed.attempts)).toEqual([0]);
      const records = await side.queue.failed.list();
      expect(records.map(({ payload, reason }) => [payload, reason]).sort()).toEqual([
        ['bad delayed', 'bad-payload'],
        ['not json', 'bad-payload'],
      ]);
    });
    expect((await replay.server.client.lrange(failed, 0, -1)).sort()).toEqual(['bad delayed', 'not json']);
    const [member, score] = await replay.server.client.zrange(delayed, '0', '-1', 'WITHSCORES');
    expect(member).toBe(retried);
    expect(Number(score)).toBeGreaterThanOrEqual(before + 5);
  });
});

interface Calls {
  readonly handler_calls: readonly { readonly package?: object }[];
}

const php = (settings: Partial<WebmanPhpSettings> = {}) => {
  let id = 0;
  return new WebmanPhp(replay.connection, {
    now: () => Math.floor(Date.now() / 1000),
    newId: () => {
      id += 1;
      return `179521684310775${id}`;
    },
    ...settings,
  });
};

const odd = {
  action: 'ok',
  text: '中/文 😀',
  list: [],
  map: {},
  nothing: null,
  float: 1.5,
  deep: [[{ n: 1 }]],
};

describe('PHP and ours on one queue', () => {
  test('PHP consumes what ours pushes, now and delayed', async () => {
    await nodeRuns({}, async ({ queue }) => {
      await queue.push('golden', odd);
      await queue.later('3s', 'golden', 'x');
    });
    const [text = ''] = await replay.server.client.lrange(waiting, 0, -1);
    expect(Object.keys(JSON.parse(text))).toEqual(['id', 'time', 'delay', 'attempts', 'queue', 'data']);
    expect(recodePhpJson(text)).toBe(text.replace('"map":{}', '"map":[]'));
    const [member = '', score] = await replay.server.client.zrange(delayed, '0', '-1', 'WITHSCORES');
    const { time, delay } = JSON.parse(member);
    expect([delay, Number(score) - time]).toEqual([3, 3]);
    const seen: unknown[] = [];
    await replay.server.advance(5000);
    await php().poll();
    const consumer = { consume: (value: PhpValue) => seen.push(plain(value)) };
    await php().consumeOne('golden', consumer);
    await php().consumeOne('golden', consumer);
    expect(seen).toEqual([{ ...odd, map: {} }, 'x']);
    expect(await replay.server.keys()).toEqual([]);
  });

  test('a package that fails by turns in both counts each attempt, and is kept as it was', async () => {
    await nodeRuns({}, async (side) => {
      await side.queue.push('golden', { action: 'throw', n: 9007199254740993n.toString(), map: {} });
      for (let attempts = 1; attempts <= 5; attempts += 1) {
        if (attempts % 2 === 0) {
          await php().poll();
          await php().consumeOne('golden', phpConsumer);
        } else await work(side);
        const [member = ''] = await replay.server.client.zrange(delayed, '0', '-1');
        expect(JSON.parse(member)).toMatchObject({ attempts, max_attempts: 5, error: boom });
        expect(await replay.server.client.zcard(delayed)).toBe(1);
        await replay.server.advance(60_000);
      }
      await work(side);
      const [member = ''] = await replay.server.client.lrange(failed, 0, -1);
      expect(JSON.parse(member).attempts).toBe(6);
    });
  });

  test('a worker that is killed loses nothing: PHP gets the job, with the attempt counted', async () => {
    await php().send('golden', { action: 'ok' });
    const { connector, close } = connect();
    const [held] = await connector.reserve(['golden'], 1, 60_000);
    expect(await replay.server.client.llen(waiting)).toBe(0);
    await php().poll(); // nothing that PHP does touches what is held
    await replay.server.advance(90_000);
    await connector.reserve(['other'], 1, 60_000); // any call of ours, for whatever queue, gives it back
    const [text = ''] = await replay.server.client.lrange(waiting, 0, -1);
    expect(JSON.parse(text)).toMatchObject({ id: held?.id, attempts: 1 });
    expect(await php().consumeOne('golden', phpConsumer)).toBe(true);
    expect(await connector.delete(held ? [held.lease] : [])).toEqual([false]);
    expect(await replay.server.keys()).toEqual([]);
    await close();
  });

  test('a user who may not put a package back keeps it under its lease', async () => {
    await php().send('golden', { action: 'ok' });
    const may = ['on', '>secret', '~*', '+@all', '-lpush'];
    await replay.server.client.call('ACL', ['SETUSER', 'weak', ...may]);
    const { connector, close } = connect({ user: 'weak', password: 'secret' });
    const [held] = await connector.reserve(['golden'], 1, 60_000);
    const leases = held ? [{ lease: held.lease, delayMs: 0 }] : [];
    await expect(connector.release(leases)).rejects.toMatchObject({ code: 'E_CONFIG' });
    await replay.server.advance(90_000);
    await connector.reserve(['other'], 1, 60_000); // may not give it back either
    expect(await replay.server.client.hlen('{redis-queue}-drover:held')).toBe(1);
    expect(await connector.delete(leases.map(({ lease }) => lease))).toEqual([true]);
    await close();
    await replay.server.client.call('ACL', ['DELUSER', 'weak']);
  });

  test('consumers of both take each package once', async () => {
    const count = 400;
    for (let n = 0; n < count; n += 1) await php().send('golden', BigInt(n));
    const byPhp: unknown[] = [];
    const consumer = { consume: (value: PhpValue) => byPhp.push(Number(value)) };
    await nodeRuns({}, async (side) => {
      const theirs = (async () => {
        while ((await replay.server.client.llen(waiting)) > 0) await php().consumeOne('golden', consumer);
      })();
      await Promise.all([theirs, work(side)]);
      expect([...byPhp, ...side.consumed].sort((a, b) => Number(a) - Number(b))).toEqual([
        ...Array(count).keys(),
      ]);
    });
  });

  test('PHP’s failures are listed, retried and forgotten as ours are', async () => {
    await php({ maxAttempts: 0 }).send('golden', { action: 'throw' });
    await php({ maxAttempts: 0 }).consumeOne('golden', {
      consume: () => {
        throw new Error(boom);
      },
    });
    await nodeRuns({}, async (side) => {
      const [one] = await side.queue.failed.list();
      expect(one).toMatchObject({
        name: 'golden',
        queue: 'golden',
        attempts: 1,
        reason: 'max-tries',
        message: boom,
      });
      await side.queue.failed.retry([one as FailedJob]);
      expect(await replay.server.client.llen(failed)).toBe(0);
      const [text = ''] = await replay.server.client.lrange(waiting, 0, -1);
      expect(JSON.parse(text)).toMatchObject({ attempts: 0, error: boom });
      await work(side);
      await replay.server.client.lpush(failed, 'not json');
      const [bad] = await side.queue.failed.list();
      expect(await side.queue.failed.forget([bad?.uuid ?? ''])).toBe(1);
      expect(await replay.server.client.exists(failed)).toBe(0);
    });
  });

  test('observed losses do not happen: half a character in an error keeps the package', async () => {
    const queue = createQueue({
      connections: { webman: webman(replay.server.url) },
      jobs: [
        consumerJob(
          'golden',
          new Map([
            [
              'webman',
              {
                consumer: {
                  consume: () => {
                    throw new Error('half \ud83d');
                  },
                },
                queue: 'golden',
                connection: 'webman',
                settings: {},
              },
            ],
          ]),
        ),
      ],
    });
    await queue.push('golden', 1);
    await expect(queue.push('golden', '\ud83d')).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
    await work({ queue });
    const [member = ''] = await replay.server.client.zrange(delayed, '0', '-1');
    expect(JSON.parse(recodePhpJson(member))).toMatchObject({ data: 1, error: 'half \ufffd' });
    await queue.close();
  });

  test('two connections in one process each move their own delayed packages', async () => {
    const at = (db: number) => webman({ url: replay.server.url, db });
    const queue = createQueue({ default: 'one', connections: { one: at(1), two: at(2) } });
    for (const name of ['one', 'two']) {
      const own = queue.connection(name);
      await own.later('1s', 'golden', name);
      expect(await own.size('golden')).toMatchObject({ delayed: 1 });
    }
    for (const [db, name] of [
      [1, 'one'],
      [2, 'two'],
    ] as const) {
      await replay.server.client.select(db);
      await replay.server.advance(5000);
      expect(await queue.connection(name).size('golden')).toMatchObject({ ready: 1 });
    }
    await replay.server.client.select(0);
    await queue.close();
  });

  test('a job cannot go to another’s queue, and says nothing of tries', async () => {
    await nodeRuns({}, async ({ queue }) => {
      await expect(queue.push('golden', 1, { queue: 'other' })).rejects.toMatchObject({
        code: 'E_UNSUPPORTED',
      });
      await expect(queue.push('golden', 1, { tries: 2 })).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    });
    expect(await replay.server.keys()).toEqual([]);
  });

  test('an id of one’s own is held apart, also after PHP took its job', async () => {
    await nodeRuns({}, async ({ queue }) => {
      for (let n = 0; n < 2; n += 1) await queue.push('golden', n, { id: 'mine' });
      expect(await replay.server.client.llen(waiting)).toBe(1);
      await php().consumeOne('golden', phpConsumer);
      await queue.push('golden', 3, { id: 'mine' });
      expect(await replay.server.client.llen(waiting)).toBe(1);
    });
  });
});

function connect(login: { user?: string; password?: string } = {}) {
  const { connect: open } = webman({ url: replay.server.url, ...login });
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const connector = open({
    connection: 'webman',
    clock: { now: Date.now },
    logger,
    runInline: async () => {},
  });
  return { connector, close: () => connector.close() };
}
