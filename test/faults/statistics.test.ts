import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Driver, type Queue, type QueueStats } from '../../src/index.js';
import { Fleet } from '../support/fleet.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';

/** Handlers that write how each attempt ended, one synchronous append per line: what is on file happened. */
const jobFile = `
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

const handler = (name) => async ({ data, job, signal }) => {
  const start = performance.now();
  if (data.sleepMs) await sleep(data.sleepMs);
  const isLast = job.attempts() === 3;
  const end = data.end === 'dies' && job.attempts() > 1 ? 'returns' : data.end;
  const outcome = end === 'returns' || end === 'dies' ? 'done' : isLast ? 'failed' : 'released';
  if (end !== 'hangs') {
    const line = { name, queue: job.queue, outcome, timedOut: false, ranMs: performance.now() - start };
    appendFileSync(\`ledger/\${process.pid}.ndjson\`, JSON.stringify(line) + '\\n');
  }
  if (end === 'throws') throw new Error('as told');
  if (end === 'dies') process.kill(process.pid, 'SIGKILL');
  if (end === 'hangs') {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    const line = { name, queue: job.queue, outcome, timedOut: true, ranMs: performance.now() - start };
    appendFileSync(\`ledger/\${process.pid}.ndjson\`, JSON.stringify(line) + '\\n');
  }
};
const settings = { tries: 3, backoff: 0, timeout: '1s' };

export const one = defineJob({ ...settings, name: 'one', handle: handler('one') });
export const two = defineJob({ ...settings, name: 'two', handle: handler('two') });
`;

interface Line {
  readonly name: string;
  readonly queue: string;
  readonly outcome: 'done' | 'failed' | 'released';
  readonly timedOut: boolean;
  readonly ranMs: number;
}

const ways = inTier(
  [
    { name: 'SQLite', open: openSqlite },
    { name: 'Redis', open: openRedis },
  ],
  [{ name: 'PostgreSQL', open: openPostgres }],
);

let server: RedisServer;
const sandbox = new ServerSandbox('postgres');
beforeAll(async () => {
  server = await startRedis();
  await sandbox.make();
});
afterAll(async () => {
  await server?.stop();
  await sandbox.clean();
});

const worker = "worker: { timeout: '1s', grace: '500ms' }";

function openSqlite() {
  const fleet = new Fleet(`import { database } from 'drover/drivers/database';
    export default { connections: { default: database({ url: 'sqlite:./q.sqlite', lease: '2s' }) }, jobs: './jobs/*.mjs', ${worker} };`);
  return { fleet, driver: database(`sqlite:${fleet.path('q.sqlite')}`) };
}

function openRedis() {
  const options = { url: server.url, prefix: `t${Math.random()}:`, lease: '2s' } as const;
  const fleet = new Fleet(`import { redis } from 'drover/drivers/redis';
    export default { connections: { default: redis(${JSON.stringify(options)}) }, jobs: './jobs/*.mjs', ${worker} };`);
  return { fleet, driver: redis(options) };
}

function openPostgres() {
  const options = { url: sandbox.url, prefix: sandbox.newPrefix(), lease: '2s' } as const;
  const fleet = new Fleet(`import { database } from 'drover/drivers/database';
    export default { connections: { default: database(${JSON.stringify(options)}) }, jobs: './jobs/*.mjs', ${worker} };`);
  return { fleet, driver: database(options) };
}

describe.each(ways)('statistics on $name', ({ open }) => {
  let fleet: Fleet;
  let queue: Queue;
  beforeEach(() => {
    const opened: { fleet: Fleet; driver: Driver } = open();
    fleet = opened.fleet;
    queue = createQueue({ connections: { default: opened.driver } });
    writeFileSync(fleet.path('jobs/counted.mjs'), jobFile);
  });
  afterEach(async () => {
    await queue.close();
    await fleet.end();
  });

  function ledger(): Line[] {
    const folder = fleet.path('ledger');
    const texts = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
    return texts
      .flatMap((text) => text.split('\n').filter((line) => line !== ''))
      .map((line) => JSON.parse(line));
  }

  const flags = ['--queue', 'default,other', '--concurrency', '8'];
  const workOff = () => fleet.start('--stop-when-empty', ...flags);

  test('say what the handlers wrote down, from all workers and all that push', async () => {
    await queue.bulk(
      'one',
      Array.from({ length: 200 }, (_, n) => ({ end: 'returns', sleepMs: 10 + (n % 60) })),
    );
    await queue.bulk(
      'two',
      Array.from({ length: 50 }, () => ({ end: 'returns' })),
      { queue: 'other' },
    );
    await queue.bulk(
      'two',
      Array.from({ length: 20 }, () => ({ end: 'throws' })),
    );
    await queue.push('two', { end: 'hangs' });
    const pusher = fleet.command('queue:push', 'one', '--data', '{"end":"returns"}');
    expect(await fleet.exitCodes([pusher])).toEqual([0]);
    const workers = [workOff(), workOff(), workOff()];
    expect(await fleet.exitCodes(workers)).toEqual([0, 0, 0]);
    const lines = ledger();
    const stats = await queue.stats();
    const pushes = new Map([
      ['default one', 201],
      ['other two', 50],
      ['default two', 21],
    ]);
    expect(countsIn(stats)).toEqual(countsOf(lines, pushes));
    expect(stats.total).toMatchObject({ pushed: 272, failed: 21, timedOut: 3, wait: { count: 272 } });
    const ran = lines.filter(({ name }) => name === 'one').map(({ ranMs }) => ranMs);
    ran.sort((a, b) => a - b);
    const { run } = (await queue.stats({ name: 'one' })).total;
    for (const [told, part] of [
      [run?.p50Ms, 0.5],
      [run?.p95Ms, 0.95],
    ] as const) {
      const truth = ran[Math.ceil(part * ran.length) - 1] as number;
      expect(Math.abs((told as number) - truth)).toBeLessThan(truth * 0.1);
    }
  });

  test('a worker that is killed takes what it counted since its last write, and nothing before', async () => {
    const doomed = fleet.start('--daemon', ...flags);
    await queue.bulk(
      'one',
      Array.from({ length: 100 }, () => ({ end: 'returns' })),
    );
    // Its write came by the clock, while it goes on.
    await expect.poll(async () => (await queue.stats()).total.done).toBe(100);
    await queue.bulk('one', [...Array.from({ length: 30 }, () => ({ end: 'returns' })), { end: 'dies' }]);
    expect(await fleet.exitCodes([doomed])).toEqual([null]);
    const known = (await queue.stats()).total.done;
    expect(known).toBeGreaterThanOrEqual(100);
    expect(await fleet.exitCodes([workOff()])).toEqual([0]);
    const finished = ledger().length;
    const { done, pushed } = (await queue.stats()).total;
    expect(pushed).toBe(131);
    expect(done).toBeGreaterThanOrEqual(finished - 31);
    expect(done).toBeLessThanOrEqual(finished);
  });
});

function countsIn({ jobs }: QueueStats) {
  const counted = jobs.map(({ queue, name, pushed, done, failed, released, timedOut }) => {
    return [`${queue} ${name}`, { pushed, done, failed, released, timedOut }] as const;
  });
  return Object.fromEntries(counted);
}

function countsOf(lines: readonly Line[], pushes: ReadonlyMap<string, number>) {
  return Object.fromEntries(
    [...pushes].map(([place, pushed]) => {
      const own = lines.filter(({ queue, name }) => `${queue} ${name}` === place);
      const many = (outcome: Line['outcome']) => own.filter((line) => line.outcome === outcome).length;
      const timedOut = own.filter((line) => line.timedOut).length;
      return [
        place,
        { pushed, done: many('done'), failed: many('failed'), released: many('released'), timedOut },
      ];
    }),
  );
}
