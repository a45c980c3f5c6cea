import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Driver } from '../../src/index.js';
import { Fleet } from '../support/fleet.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';

/** Writes the id of each run that ends before it returns, but for those that kill their process. */
const jobFile = `
import { appendFileSync } from 'node:fs';
import { defineJob } from 'drover';
export const one = defineJob({
  name: 'one',
  handle: ({ data, job }) => {
    if (data.dies && job.attempts() === 1) process.kill(process.pid, 'SIGKILL');
    appendFileSync(\`ledger/\${process.pid}.txt\`, job.id + '\\n');
    return { pid: process.pid };
  },
});
`;

const shared = { lease: '2s', history: { keep: 1000 } } as const;
const worker = "worker: { timeout: '1s', grace: '500ms' }";

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

function fleetWith(driver: 'redis' | 'database', options: object): Fleet {
  const fleet = new Fleet(`import { ${driver} } from 'drover/drivers/${driver}';
    export default { connections: { default: ${driver}(${JSON.stringify(options)}) }, jobs: './jobs/*.mjs', ${worker} };`);
  writeFileSync(fleet.path('jobs/one.mjs'), jobFile);
  return fleet;
}

interface Way {
  readonly name: string;
  open(): { fleet: Fleet; driver: Driver };
}

const ways: readonly Way[] = [
  {
    name: 'SQLite',
    open() {
      const fleet = fleetWith('database', { url: 'sqlite:./q.sqlite', ...shared });
      return { fleet, driver: database({ url: `sqlite:${fleet.path('q.sqlite')}`, ...shared }) };
    },
  },
  {
    name: 'Redis',
    open() {
      const options = { url: server.url, ...shared };
      return { fleet: fleetWith('redis', options), driver: redis(options) };
    },
  },
  {
    name: 'PostgreSQL',
    open() {
      const options = { url: sandbox.url, prefix: sandbox.newPrefix(), ...shared };
      return { fleet: fleetWith('database', options), driver: database(options) };
    },
  },
];

/** The ids that handlers wrote down. */
function ledgerOf(fleet: Fleet): string[] {
  const folder = fleet.path('ledger');
  return readdirSync(folder).flatMap((file) => readFileSync(`${folder}/${file}`, 'utf8').trim().split('\n'));
}

describe.each(inTier(ways.slice(0, 2), ways.slice(2)))('the history on $name', ({ open }) => {
  test('a worker that is killed takes along what ended since its last write, and no job', async () => {
    const { fleet, driver } = open();
    const queue = createQueue({ connections: { default: driver } });
    try {
      const done = async () => (await queue.list({ state: 'done', limit: 10_000 })).map(({ id }) => id);
      const doomed = fleet.start('--daemon');
      const early = await queue.bulk(
        'one',
        Array.from({ length: 100 }, () => ({})),
      );
      // Its write came by the clock, while it goes on.
      await expect.poll(async () => (await done()).length).toBe(100);
      const late = await queue.bulk('one', [...Array.from({ length: 30 }, () => ({})), { dies: true }]);
      expect(await fleet.exitCodes([doomed])).toEqual([null]);
      expect(await done()).toEqual(expect.arrayContaining(early));
      // Its leases lapse, so that who stops when nothing is left has all to do.
      await expect.poll(() => queue.size()).toMatchObject({ reserved: 0 });
      expect(await fleet.exitCodes([fleet.start('--stop-when-empty')])).toEqual([0]);
      expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
      const ran = ledgerOf(fleet);
      expect(new Set(ran)).toEqual(new Set([...early, ...late]));
      const kept = await done();
      expect(new Set(kept).size).toBe(kept.length); // each once
      expect(kept).toEqual(expect.arrayContaining([...early, late.at(-1)]));
      expect(kept.filter((id) => !ran.includes(id ?? ''))).toEqual([]);
    } finally {
      await queue.close();
      await fleet.end();
    }
  });

  test('three workers leave the end of each job once, with the process that ran it', async () => {
    const { fleet, driver } = open();
    const queue = createQueue({ connections: { default: driver } });
    try {
      const ids = await queue.bulk(
        'one',
        Array.from({ length: 600 }, () => ({})),
      );
      const workers = Array.from({ length: 3 }, () => fleet.start('--stop-when-empty', '--concurrency', '8'));
      expect(await fleet.exitCodes(workers)).toEqual([0, 0, 0]);
      const ended = (await queue.list({ state: 'done', limit: 10_000 })).filter(({ id }) =>
        ids.includes(id ?? ''),
      );
      expect(ended.map(({ id }) => id).sort()).toEqual([...ids].sort());
      for (const { pid, result } of ended) expect(result).toBe(`{"pid":${pid}}`);
    } finally {
      await queue.close();
      await fleet.end();
    }
  });
});
