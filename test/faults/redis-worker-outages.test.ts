import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { idlesThrough, type Outage, worksThrough } from '../support/outage.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { inTier } from '../support/tier.js';
import { unhandledDuring } from '../support/unhandled.js';

const leaseMs = 20_000;
let server: RedisServer;
afterEach(() => server?.stop());

/** What a server forgets that is killed, with an `appendfsync`. */
const forgets = { always: 0, everysec: 2000 };
type Fsync = keyof typeof forgets;

async function start(fsync: Fsync = 'always'): Promise<void> {
  server = await startRedis('--appendonly', 'yes', '--appendfsync', fsync);
}

const commandTimeoutMs = 500;
const shared = { queues: ['q'], repeatsPushesAfterMs: commandTimeoutMs };
const driver = () =>
  redis({ url: server.url, lease: `${leaseMs}ms`, commandTimeout: commandTimeoutMs / 1000 });
const lapse = () => server.advance(leaseMs);

const killed: Outage['happen'] = async (noticed) => {
  await server.crash();
  await noticed();
  await server.restart();
};

test.each(inTier<Fsync>(['always'], ['everysec']))(
  'a worker goes on by itself when its server was killed and started again, with appendfsync %s',
  async (fsync) => {
    await start(fsync);
    const outage: Outage = { ...shared, driver, lapse, happen: killed, forgetsMs: forgets[fsync] };
    const works = async () => {
      const { accepted, lost, doubled, standstillMs } = await worksThrough(outage);
      console.log(
        `appendfsync ${fsync}: ${accepted} jobs, ${lost} lost, ${doubled} ran twice; none ran for ${standstillMs} ms`,
      );
    };
    expect(await unhandledDuring(works)).toEqual([]);
  },
);

test('a worker goes on by itself when its server was stopped for longer than commands may take', async () => {
  await start();
  const happen: Outage['happen'] = async (noticed) => {
    server.process.kill('SIGSTOP');
    await pause(3000); // the fault itself
    await noticed();
    server.process.kill('SIGCONT');
  };
  expect(await unhandledDuring(() => worksThrough({ ...shared, driver, lapse, happen }))).toEqual([]);
});

test('a worker with nothing to do goes on by itself when its server was killed and started again', async () => {
  await start();
  expect(await unhandledDuring(() => idlesThrough({ ...shared, driver, happen: killed }))).toEqual([]);
});
