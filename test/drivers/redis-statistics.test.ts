import { expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import {
  createQueue,
  defineJob,
  type Queue,
  type StatisticsStore,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { tidy } from '../../src/statistics-tidy.js';
import { monitoredRedis } from '../support/monitored-redis.js';

const ours = monitoredRedis();

const ok = defineJob({ name: 'ok', handle: () => {} });
const fails = defineJob({
  name: 'fails',
  tries: 2,
  backoff: 0,
  handle: () => Promise.reject(new Error('no')),
});

function open(statistics: boolean, prefix = ''): Queue {
  const driver = redis({ url: ours.server.url, prefix });
  return ours.keep(createQueue({ connections: { main: driver }, jobs: [ok, fails], statistics }));
}

const isAboutStatistics = (command: readonly string[]): boolean =>
  command.some((word) => word.includes('{drover}:stats'));
test('statistics share no trip, and no key, with a push, a reserve or a settlement', async () => {
  const queue = open(true);
  await queue.size();
  const { commands } = await ours.monitor.during(async () => {
    await queue.bulk(ok, Array.from({ length: 500 }));
    await queue.push(fails);
    await queue.worker({ stopWhenEmpty: true, sleep: '1ms', concurrency: 10 }).run();
  });
  const about = commands.filter(isAboutStatistics);
  expect(about.length).toBeGreaterThan(0);
  for (const command of about) expect(command.join(' ')).not.toContain('{queues:');
  const inScripts = about.filter(([name]) => name === 'EVAL' || name === 'EVALSHA');
  // One write for each two seconds, and one when the worker stops; the first sends the script's text as well.
  expect(inScripts.length).toBeLessThan(10);
});

test('the trips of jobs are as many with statistics as without', async () => {
  // Of one queue alone it depends on the clock whether the short script is tried first.
  const options = { once: true, prefetch: 0, queues: ['default', 'other'] };
  const count = async (statistics: boolean): Promise<Record<string, number>> => {
    const queue = open(statistics, statistics ? 'on:' : 'off:');
    await queue.size();
    const { commands } = await ours.monitor.during(async () => {
      for (let index = 0; index < 20; index++) {
        await queue.push(index % 5 === 0 ? fails : ok);
        await queue.worker(options).run();
        await queue.worker(options).run();
      }
    });
    const counted: Record<string, number> = {};
    for (const command of commands.filter((one) => !isAboutStatistics(one))) {
      const [name = ''] = command;
      if (name === 'GET') continue; // the look for a restart, once a second
      counted[name] = (counted[name] ?? 0) + 1;
    }
    return counted;
  };
  await count(false); // the scripts are loaded
  const without = await count(false);
  expect(without.EVALSHA).toBeGreaterThan(40);
  expect(await count(true)).toEqual(without);
});

test('are two keys without an end, whatever is counted', async () => {
  const queue = open(true);
  for (const lane of ['a', 'b', 'c']) await queue.bulk(ok, Array.from({ length: 20 }), { queue: lane });
  await queue.worker({ queues: ['a', 'b', 'c'], stopWhenEmpty: true, sleep: '1ms' }).run();
  expect((await queue.stats()).total).toMatchObject({ pushed: 60, done: 60 });
  const keys = (await ours.server.client.keys('*')).filter((key) => key.includes('stats')).sort();
  expect(keys).toEqual(['{drover}:stats', '{drover}:stats:bodies']);
  for (const key of keys) expect(await ours.server.client.pttl(key)).toBe(-1);
  const context = { connection: 'x', clock: systemClock, logger: silentLogger, runInline: async () => {} };
  const connector = redis(ours.server.url).connect(context);
  await tidy(connector.statistics as StatisticsStore, Date.now() + 15 * 86_400_000);
  expect((await ours.server.client.keys('*')).filter((key) => key.includes('stats'))).toEqual([]);
  await connector.close();
});
