import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import {
  type Connector,
  createQueue,
  type Driver,
  type Queue,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { encodePayload } from '../../src/payload.js';
import { Fleet } from '../support/fleet.js';
import { startsById } from '../support/ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { failedJob } from '../support/sqlite.js';
import { inTier } from '../support/tier.js';

// DROVER_RETRY_JOBS=50000 for the large run.
const jobCount = Number(process.env.DROVER_RETRY_JOBS ?? 4000);
/** Jobs in one push, and in one forget: what a kill between the two may cost. */
const batchSize = 100;
const kills = 2;

let server: RedisServer;
let fleet: Fleet | undefined;
let queue: Queue | undefined;
const connectors: Connector[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterEach(async () => {
  await fleet?.end();
  await queue?.close();
  await Promise.all(connectors.splice(0).map((connector) => connector.close()));
  await server.client.flushall();
});

afterAll(() => server?.stop());

/** Records of jobs that wait to be retried, put into the store as a worker does, without a worker. */
async function fillWithFailedJobs(driver: Driver): Promise<string[]> {
  const connector = driver.connect({
    connection: 'graves',
    clock: systemClock,
    logger: silentLogger,
    runInline: () => Promise.reject(new Error('not inline')),
  });
  connectors.push(connector);
  const ids = Array.from({ length: jobCount }, () => randomUUID());
  for (let at = 0; at < jobCount; at += 1000) {
    const records = ids.slice(at, at + 1000).map((id, index) => {
      const payload = { job: 'record', maxTries: null, timeout: null, data: {}, dueAt: Date.now(), id };
      const body = encodePayload(payload, 1_000_000);
      const at0 = Date.now() - jobCount + at + index;
      return failedJob({
        uuid: randomUUID(),
        jobId: id,
        connection: 'main',
        queue: 'default',
        name: 'record',
        payload: body,
        failedAtMs: at0,
      });
    });
    await connector.failedJobs?.record(records);
  }
  return ids;
}

/** Starts `queue:retry all` and kills it once it has told of so many jobs; what it goes on to tell holds it up. */
async function retryAndKill(workers: Fleet, afterJobs: number): Promise<void> {
  const retry = workers.command('queue:retry', 'all', '--json');
  let lines = 0;
  for await (const chunk of (retry.stdout as Readable).iterator({ destroyOnReturn: false })) {
    lines += String(chunk).split('\n').length - 1;
    if (lines >= afterJobs) break;
  }
  await sleep(Math.random() * 80); // somewhere in the next batches: in a move, or between a push and a forget
  retry.kill('SIGKILL');
  await workers.exitCodes([retry]);
}

async function retryToTheEnd(workers: Fleet): Promise<void> {
  const retry = workers.command('queue:retry', 'all');
  (retry.stdout as Readable).resume();
  await once(retry, 'exit');
  expect(await workers.exitCodes([retry])).toEqual([0]);
}

async function isDone(of: Queue): Promise<boolean> {
  const { ready, delayed, reserved } = await of.size();
  return ready + delayed + reserved === 0 && (await of.failed.list({ limit: 1 })).length === 0;
}

/** A project whose jobs fail into one place or another, full of failed jobs, with two workers. */
async function setUp(live: string, records: string) {
  const isOneStore = live === records;
  const text = (kind: string) =>
    kind === 'redis' ? `redis('${server.url}')` : "database({ url: 'sqlite:./queue.sqlite' })";
  const workers = new Fleet(
    `import { database } from 'drover/drivers/database';
     import { redis } from 'drover/drivers/redis';
     export default {
       default: 'main',
       connections: { main: ${text(live)}${isOneStore ? '' : `, graves: ${text(records)}`} },
       failed: { connection: '${isOneStore ? 'main' : 'graves'}' },
       jobs: './jobs/*.mjs',
     };`,
  );
  fleet = workers;
  const driver = (kind: string) =>
    kind === 'redis' ? redis(server.url) : database(`sqlite:${workers.path('queue.sqlite')}`);
  const connections = { main: driver(live), ...(!isOneStore && { graves: driver(records) }) };
  const look = createQueue({
    default: 'main',
    connections,
    failed: { connection: isOneStore ? 'main' : 'graves' },
  });
  queue = look;
  const ids = await fillWithFailedJobs(driver(records));
  const working = [workers.start('--concurrency', '4'), workers.start('--concurrency', '4')];

  return { ids, look, working, workers };
}

const places: [string, string, string, boolean][] = [
  ['SQLite', 'sqlite', 'sqlite', true],
  ['Redis', 'redis', 'redis', true],
  ['a queue on Redis and records on SQLite', 'redis', 'sqlite', false],
  ['a queue on SQLite and records on Redis', 'sqlite', 'redis', false],
];

test.each(inTier(places.slice(0, 3), places.slice(3)))(
  `${jobCount} failed jobs on %s, retried by a command that is killed ${kills} times`,
  {
    timeout: 60_000 + 10 * jobCount,
  },
  async (name, live, records, isOneStore) => {
    const { ids, look, working, workers } = await setUp(live, records);
    const startedMs = performance.now();
    const suspects = new Set<string>();
    for (let kill = 1; kill <= kills; kill++) {
      await retryAndKill(workers, 1 + Math.floor((Math.random() * jobCount) / (2 * kills)));
      const left = await look.failed.list({ limit: jobCount });
      expect(left.length).toBeGreaterThan(0); // it was killed on the way
      for (const { jobId } of left) suspects.add(jobId);
    }
    await retryToTheEnd(workers);
    const tookMs = performance.now() - startedMs;
    while (!(await isDone(look))) await sleep(50);
    for (const worker of working) worker.kill('SIGTERM');
    expect(await workers.exitCodes(working)).toEqual([0, 0]);

    const starts = startsById(workers.ledger());
    const twice = [...starts].filter(([, list]) => list.length > 1).map(([id]) => id);
    console.log(
      `${name}: ${starts.size} of ${jobCount} jobs ran, ${twice.length} of them twice; ` +
        `${kills} kills, ${Math.round(tookMs)} ms for the retries`,
    );
    expect([...starts.keys()].sort()).toEqual([...ids].sort());
    expect([...starts.values()].filter((list) => list.length > 1 + (isOneStore ? 0 : kills))).toEqual([]);
    expect(twice.length).toBeLessThanOrEqual(isOneStore ? 0 : kills * batchSize);
    expect(twice.filter((id) => !suspects.has(id))).toEqual([]);
  },
);

test('killed between a push and a forget, it runs those jobs twice and no others', {
  timeout: 60_000 + 10 * jobCount,
}, async () => {
  const { ids, look, working, workers } = await setUp('sqlite', 'redis');
  await server.client.client('PAUSE', 600_000, 'WRITE'); // records can be read, but not removed
  const retry = workers.command('queue:retry', 'all', '--json');
  (retry.stdout as Readable).resume();
  const ran = () => [...startsById(workers.ledger()).keys()].sort();
  while (ran().length < batchSize) await sleep(20);
  retry.kill('SIGKILL');
  await workers.exitCodes([retry]);
  await server.client.client('UNPAUSE');
  while ((await look.size()).reserved > 0) await sleep(20);
  const pushed = ran();
  expect(pushed).toHaveLength(batchSize);

  await retryToTheEnd(workers);
  while (!(await isDone(look))) await sleep(50);
  for (const worker of working) worker.kill('SIGTERM');
  await workers.exitCodes(working);
  const starts = startsById(workers.ledger());
  expect([...starts.keys()].sort()).toEqual([...ids].sort());
  const twice = [...starts].filter(([, list]) => list.length > 1).map(([id]) => id);
  expect(twice.sort()).toEqual(pushed);
});
