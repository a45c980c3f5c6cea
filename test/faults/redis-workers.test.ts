import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Queue } from '../../src/index.js';
import { Fleet } from '../support/fleet.js';
import { startsById } from '../support/ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { inTier } from '../support/tier.js';

const concurrency = 8;
const prefetch = 100;
const leaseMs = 2_000;

let server: RedisServer;
let queue: Queue;
let fleet: Fleet;

beforeEach(async () => {
  server = await startRedis();
  queue = createQueue({ connections: { default: redis(server.url) } });
  fleet = new Fleet(
    `import { redis } from 'drover/drivers/redis';
     export default {
       connections: { default: redis({ url: '${server.url}', lease: '${leaseMs}ms' }) },
       jobs: './jobs/*.mjs',
       worker: { timeout: '1s', grace: '500ms', concurrency: ${concurrency}, prefetch: ${prefetch} },
     };`,
  );
});

afterEach(async () => {
  await fleet?.end();
  await queue?.close();
  await server?.stop();
});

async function pushAll(count: number, data: object): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < count; start += 500) {
    ids.push(
      ...(await queue.bulk(
        'record',
        Array.from({ length: 500 }, (_, n) => ({ n: start + n, ...data })),
      )),
    );
  }
  return ids;
}

async function isEmpty(): Promise<boolean> {
  const { ready, reserved } = await queue.size();
  return ready + reserved === 0;
}

// `DROVER_FLEET_JOBS=100000 DROVER_FLEET_PROCESSES=8` for a long run.
const jobCount = Number(process.env.DROVER_FLEET_JOBS ?? 10_000);
const processes = Number(process.env.DROVER_FLEET_PROCESSES ?? 4);

test.each(inTier([['200 B', 200] as const], [['20 KB', 20_000] as const]))(
  'with one worker killed and one stopped for two leases no job of %s is lost, and only what these two held runs twice',
  {
    timeout: 600_000,
  },
  async (_, bytes) => {
    const ids = await pushAll(bytes > 1000 ? jobCount / 5 : jobCount, {
      sleepMs: 2,
      filling: 'x'.repeat(bytes - 150),
    });
    const fromMs = performance.now();
    const workers = Array.from({ length: processes }, () => fleet.start('--daemon'));
    const [killed, stopped] = workers as [ChildProcess, ChildProcess];
    await Promise.all([fleet.started(killed, 30), fleet.started(stopped, 30)]);
    killed.kill('SIGKILL');
    stopped.kill('SIGSTOP');
    await sleep(2 * leaseMs); // the fault itself: a process that is away for two leases
    while (!(await isEmpty())) await sleep(50);
    const drainedMs = performance.now() - fromMs;
    stopped.kill('SIGCONT');
    await sleep(leaseMs); // time for the stopped worker to try to settle what it no longer holds
    for (const worker of workers) worker.kill('SIGTERM');
    expect(await fleet.exitCodes(workers)).toEqual(workers.map((worker) => (worker === killed ? null : 0)));

    const lines = fleet.ledger();
    const finished = new Set(lines.filter(({ event }) => event === 'finished').map(({ id }) => id));
    expect(ids.filter((id) => !finished.has(id))).toEqual([]);
    const twice = [...startsById(lines)].filter(([, starts]) => starts.length > 1);
    const victims = [killed.pid, stopped.pid];
    expect(twice.filter(([, starts]) => !victims.includes(starts[0]?.pid))).toEqual([]);
    // Those that ran, and done ones whose delete was under way or gathering.
    expect(twice.length).toBeLessThanOrEqual(2 * (concurrency + prefetch));
    console.log(
      `${ids.length} jobs of ${bytes} B, ${processes} processes, ${Math.round(drainedMs)} ms; run twice: ` +
        twice
          .map(([id, starts]) => `${id} (${starts[0]?.pid === killed.pid ? 'killed' : 'stopped'})`)
          .join(' '),
    );
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  },
);
