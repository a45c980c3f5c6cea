import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Queue } from '../../src/index.js';
import { Fleet } from '../support/fleet.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

// `DROVER_SOAK_JOBS=2000000` for a longer one.
const jobCount = Number(process.env.DROVER_SOAK_JOBS ?? 500_000);
/** Done before anything is measured: code is compiled, pools and buffers and the young generation are as large as they get. */
const warmUpCount = 250_000;
const batch = 1000;
/** How many jobs wait at most: a queue that is never empty and never long. */
const ahead = 20_000;

interface Sample {
  /** Done so far, after those that warm it up. */
  readonly jobs: number;
  readonly rssMb: number;
  readonly descriptors: number;
}

function sampleOf(pid: number, jobs: number): Sample {
  const [, kb = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return { jobs, rssMb: Number(kb) / 1024, descriptors };
}

/** CPU time of a process so far, in seconds. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** MB that are added each 100,000 jobs, by least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length;
  const [x, y] = [mean(samples.map(({ jobs }) => jobs)), mean(samples.map(({ rssMb }) => rssMb))];
  const above = samples.reduce((sum, { jobs, rssMb }) => sum + (jobs - x) * (rssMb - y), 0);
  const below = samples.reduce((sum, { jobs }) => sum + (jobs - x) ** 2, 0);
  return (above / below) * 100_000;
}

let server: RedisServer;
let fleet: Fleet;
let queue: Queue;
beforeAll(async () => {
  server = await startRedis();
});
afterEach(async () => {
  await queue?.close();
  await fleet?.end();
});
afterAll(() => server?.stop());

describe.each(['SQLite', 'Redis'])('on %s', (store) => {
  test(`a worker holds no more after ${jobCount} more jobs`, async () => {
    const isRedis = store === 'Redis';
    const of = isRedis ? `redis('${server.url}')` : "database('sqlite:./queue.sqlite')";
    // Handlers that write nothing: the ledger is not what is looked at.
    fleet = new Fleet(`import { database } from 'drover/drivers/database';
      import { redis } from 'drover/drivers/redis';
      import { defineJob } from 'drover';
      const quiet = defineJob({ name: 'quiet', handle: () => {} });
      export default { connections: { default: ${of} }, jobs: [quiet], worker: { concurrency: 10, memory: 0 } };`);
    queue = createQueue({
      connections: {
        default: isRedis ? redis(server.url) : database(`sqlite:${fleet.path('queue.sqlite')}`),
      },
    });
    const { pid = 0 } = fleet.start();
    const fromMs = performance.now();
    const samples: Sample[] = [];
    let pushed = 0;
    let left = 0;
    const total = warmUpCount + jobCount;
    while (pushed < total || left > 0) {
      if (pushed < total && left < ahead) {
        await queue.bulk('quiet', Array(batch).fill({ to: 'somebody' }));
        pushed += batch;
      } else await pause(50);
      const { ready, reserved } = await queue.size();
      left = ready + reserved;
      const jobs = pushed - left - warmUpCount;
      if (jobs >= (samples.at(-1)?.jobs ?? -1) + jobCount / 100) samples.push(sampleOf(pid, jobs));
    }
    const seconds = (performance.now() - fromMs) / 1000;
    const rss = samples.map(({ rssMb }) => rssMb);
    const descriptors = samples.map((sample) => sample.descriptors);
    const [idleFromCpu, idleFromMs] = [cpuOf(pid), performance.now()];
    await pause(10_000); // what is measured: a worker with nothing to do
    const idleShare = (cpuOf(pid) - idleFromCpu) / ((performance.now() - idleFromMs) / 1000);
    const added = slope(samples);
    const median = [...rss].sort((a, b) => a - b)[Math.floor(rss.length / 2)] ?? 0;
    console.log(
      `${store}: ${total} jobs in ${seconds.toFixed(0)} s; of the last ${jobCount}: memory ${rss[0]?.toFixed(0)} MB at first, ${median.toFixed(0)} median, ` +
        `${Math.max(...rss).toFixed(0)} most, ${rss.at(-1)?.toFixed(0)} at the end, ${added.toFixed(2)} MB a 100,000 jobs; ` +
        `${Math.min(...descriptors)} to ${Math.max(...descriptors)} descriptors; idle ${(idleShare * 100).toFixed(2)} % of a CPU`,
    );
    // A leak of 100 bytes a job would be 10 MB; half of that is what a heap may still be growing by.
    expect(added).toBeLessThan(5);
    expect(Math.max(...rss)).toBeLessThan(1.5 * median + 30);
    expect(Math.max(...descriptors) - Math.min(...descriptors)).toBeLessThanOrEqual(3);
    expect(idleShare).toBeLessThan(0.02);
  });
});
