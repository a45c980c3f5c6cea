import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { database } from '../../dist/drivers/database/index.js';
import { memory } from '../../dist/drivers/memory/index.js';
import { redis } from '../../dist/drivers/redis/index.js';
import { createQueue, type Driver, defineJob, type Queue } from '../../dist/src/index.js';
import { servers } from './servers.js';

// What statistics cost: `node bench/dist/statistics.js [pairs] [jobs]`. Each pair is a process that pushes and works
// jobs with statistics and without by turns, in blocks, so that both meet the same state of the machine. A worker
// stops after each block, and writes its statistics then: some ten times as often as it would by the clock.

interface Run {
  readonly store: string;
  readonly place: string;
  readonly jobs: number;
}

interface Cost {
  with: number;
  without: number;
}

const jobsPerBlock = 2500;

function driverOf({ store, place }: Run): Driver {
  if (store === 'memory') return memory();
  return store === 'redis' ? redis(place) : database(`sqlite:${place}`);
}

/** Pushes and works the jobs both ways; answers the processor time of this process in µs for each. */
async function costOf(run: Run): Promise<Cost> {
  const job = defineJob({ name: 'bench', handle: () => {} });
  const open = (statistics: boolean) =>
    createQueue({ connections: { default: driverOf(run) }, jobs: [job], statistics });
  const queues = { with: open(true), without: open(false) };
  const block = async (queue: Queue): Promise<number> => {
    const start = process.cpuUsage();
    for (let at = 0; at < jobsPerBlock; at += 100) {
      await Promise.all(Array.from({ length: 100 }, () => queue.push(job, { text: 'x'.repeat(100) })));
    }
    await queue.worker({ concurrency: 10, stopWhenEmpty: true, sleep: '1ms' }).run();
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  for (const queue of [queues.with, queues.without, queues.without, queues.with]) await block(queue);
  const cost: Cost = { with: 0, without: 0 };
  for (let done = 0; done < run.jobs; done += jobsPerBlock) {
    const isEven = (done / jobsPerBlock) % 2 === 0;
    for (const way of isEven ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      cost[way] += await block(queues[way]);
    }
  }
  await Promise.all([queues.with.close(), queues.without.close()]);
  return cost;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(store: 'memory' | 'sqlite' | 'redis', pairs: number, jobs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-statistics-'));
  const server = store === 'redis' ? await servers.redis({ aof: false }) : undefined;
  const program = fileURLToPath(import.meta.url);
  const found: Cost[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const place = await server?.emptyPlace();
    const where =
      place?.store === 'redis' ? `redis://127.0.0.1:${place.port}` : join(folder, `${pair}.sqlite`);
    const run: Run = { store, place: where, jobs };
    found.push(
      JSON.parse(execFileSync(process.execPath, [program, JSON.stringify(run)], { encoding: 'utf8' })),
    );
  }
  const ratios = found.map((pair) => (pair.with / pair.without - 1) * 100);
  const seconds = (which: keyof Cost) => (median(found.map((pair) => pair[which])) / jobs / 100).toFixed(3);
  const range = `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
  process.stdout.write(
    `| ${store} | ${seconds('without')} | ${seconds('with')} | ${median(ratios).toFixed(1)} % | ${range} % |\n`,
  );
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const [first = '9', jobs = '20000'] = process.argv.slice(2);
if (first.startsWith('{')) {
  process.stdout.write(JSON.stringify(await costOf(JSON.parse(first) as Run)));
} else {
  process.stdout.write(
    '| store | without, s per 10,000 | with | median of pairs | all pairs |\n|---|---|---|---|---|\n',
  );
  for (const store of ['memory', 'sqlite', 'redis'] as const)
    await compare(store, Number(first), Number(jobs));
}
