import { expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob, type HistoryOptions, type Queue } from '../../src/index.js';
import { monitoredRedis } from '../support/monitored-redis.js';

const ours = monitoredRedis();

const ok = defineJob<unknown>({ name: 'ok', handle: ({ data }) => data });

function open(history?: HistoryOptions, prefix = ''): Queue {
  const driver = redis({ url: ours.server.url, prefix, ...(history && { history }) });
  return ours.keep(createQueue({ connections: { main: driver }, jobs: [ok], statistics: false }));
}

const isAboutHistory = (command: readonly string[]): boolean =>
  command.some((word) => word.includes('{drover}:history'));

/** The commands of 40 jobs, one after the other, and how many of them are about the history. */
async function commandsWith(history: HistoryOptions | undefined, prefix: string) {
  const queue = open(history, prefix);
  await queue.size();
  const { commands } = await ours.monitor.during(async () => {
    for (let index = 0; index < 40; index++) {
      await queue.push(ok, index);
      await queue.worker({ once: true, prefetch: 0, heartbeat: 0 }).run();
    }
  });
  const counted: Record<string, number> = {};
  for (const [name = ''] of commands.filter((one) => !isAboutHistory(one))) {
    if (name !== 'GET') counted[name] = (counted[name] ?? 0) + 1; // the look for a restart, once a second
  }
  return { counted, about: commands.filter(isAboutHistory) };
}

test('off costs no command; on, the trips of jobs are the same and nothing of it touches a queue', async () => {
  await commandsWith(undefined, 'warm:'); // the scripts are loaded
  const off = await commandsWith(undefined, 'off:');
  expect(off.about).toEqual([]);
  expect(off.counted.EVALSHA).toBeGreaterThan(80);
  const on = await commandsWith({ keep: 1000 }, 'on:');
  expect(on.counted).toEqual(off.counted);
  expect(on.about.length).toBeGreaterThanOrEqual(40); // each of these workers writes what it did as it stops
  for (const command of on.about) expect(command.join(' ')).not.toContain('{queues:');
});

test('one worker writes many ends with one command', async () => {
  const queue = open({ keep: 1000 });
  await queue.bulk(ok, Array.from({ length: 300 }));
  const { commands } = await ours.monitor.during(async () => {
    await queue.worker({ stopWhenEmpty: true, sleep: '1ms', concurrency: 10 }).run();
  });
  const writes = commands.filter(([name, ...words]) => /^EVAL/.test(name ?? '') && isAboutHistory(words));
  expect(writes.length).toBeLessThan(12);
  expect(await queue.list({ state: 'done', limit: 1000 })).toHaveLength(300);
});

test('is three keys without an end, bounded, and none once all is pruned', async () => {
  const queue = open({ keep: 10 });
  for (let round = 0; round < 8; round++) {
    await queue.bulk(ok, [1, 2, 3, 4, 5]);
    await queue.worker({ stopWhenEmpty: true, sleep: '1ms' }).run();
  }
  expect(await queue.list({ state: 'done', limit: 1000 })).toHaveLength(10);
  const keys = (await ours.server.keys()).filter((key) => key.includes('history')).sort();
  expect(keys).toEqual(['{drover}:history', '{drover}:history:jobs', '{drover}:history:records']);
  for (const key of keys) expect(await ours.server.client.pttl(key)).toBe(-1);
  expect(await ours.server.client.hlen('{drover}:history:records')).toBe(10);
  expect(await ours.server.client.zcard('{drover}:history:jobs')).toBe(10);
});

test('members that PHP put there are shown: with their own id, or none', async () => {
  const queue = open();
  const { client } = ours.server;
  const own = '{"job":"ok","maxTries":null,"timeout":null,"data":[],"id":"php-1","attempts":0}';
  await client.rpush('{queues:default}', own);
  await client.rpush(
    '{queues:default}',
    '{"job":"ok","data":"no attempts"}',
    'not JSON at all',
    'O:8:"stdClass":0:{}',
  );
  await client.rpush('{queues:default}', Buffer.from([0xff, 0xfe, 0x00]));
  await client.zadd(
    '{queues:default}:delayed',
    Math.floor(Date.now() / 1000) + 600,
    own.replace('php-1', 'php-2'),
  );
  const listed = await queue.list();
  expect(listed.map(({ id, name, state, attempts }) => [id, name, state, attempts])).toEqual([
    ['php-1', 'ok', 'ready', 0],
    [null, 'ok', 'ready', 0],
    [null, null, 'ready', 0],
    [null, null, 'ready', 0],
    [null, null, 'ready', 0],
    ['php-2', 'ok', 'delayed', 0],
  ]);
  expect(listed[0]?.payload).toBe(own);
  expect(await queue.find('php-2')).toMatchObject([{ id: 'php-2', state: 'delayed', createdAtMs: null }]);
  expect(await queue.size()).toEqual({ ready: 5, delayed: 1, reserved: 0 });
  expect(await client.lrange('{queues:default}', 0, 0)).toEqual([own]);
});
