import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createQueue } from '../../../dist/src/index.js';
import { jobData, type Place, type Store } from '../contender.js';
import { benchJob, driverOf } from '../drover.js';
import { servers } from '../servers.js';
import { type Assignment, type Spent, variable } from './assignment.js';

// What a supervisor costs: `node bench/dist/supervision/compare.js [pairs] [jobs] [stores] [concurrencies]`. Each pair is one
// run of `queue:work --workers 1` and one of `--workers 0`, right after each other and by turns in front, over the same
// backlog of jobs that do nothing. What is compared is the worker process from its first job to its last.

const drover = fileURLToPath(new URL('../../../dist/cli/bin.cjs', import.meta.url));
const config = fileURLToPath(new URL('config.js', import.meta.url));

interface Pair {
  readonly supervised: Spent;
  readonly alone: Spent;
}

/** Stores the backlog. */
async function fill(place: Place, jobs: number): Promise<void> {
  const job = benchJob(() => {});
  const queue = createQueue({
    connections: { default: await driverOf(place) },
    jobs: [job],
    statistics: false,
  });
  if (place.store === 'sqlite') await queue.migrate();
  for (let pushed = 0; pushed < jobs; pushed += 1000) {
    await queue.bulk(job, Array.from({ length: Math.min(1000, jobs - pushed) }, jobData));
  }
  await queue.close();
}

function work(assignment: Assignment, workers: 0 | 1, concurrency: number): Spent {
  const flags = ['--config', config, '--workers', `${workers}`, '--concurrency', `${concurrency}`];
  execFileSync(
    process.execPath,
    [...process.execArgv, drover, 'queue:work', ...flags, '--stop-when-empty', '--quiet'],
    {
      env: { ...process.env, [variable]: JSON.stringify(assignment) },
      stdio: ['ignore', 'ignore', process.env.DROVER_BENCH_LOG ? 'inherit' : 'ignore'],
    },
  );
  return JSON.parse(readFileSync(assignment.answerTo, 'utf8')) as Spent;
}

async function measure(store: Store, concurrency: number, pairs: number, jobs: number): Promise<Pair[]> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-supervision-'));
  const server = await servers[store]({ aof: false });
  const answerTo = join(folder, 'spent.json');
  const full = { store: 'sqlite', file: join(folder, 'full.sqlite') } as const;
  if (store === 'sqlite') await fill(full, jobs);
  const run = async (workers: 0 | 1): Promise<Spent> => {
    const place = await server.emptyPlace();
    if (place.store === 'sqlite') copyFileSync(full.file, place.file);
    else await fill(place, jobs);
    const spent = work({ place, jobs, answerTo }, workers, concurrency);
    if (place.store === 'sqlite') rmSync(place.file);
    return spent;
  };
  const found: Pair[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? 1 : 0;
    const spent = [await run(first), await run(first === 1 ? 0 : 1)] as const;
    found.push({ supervised: spent[1 - first] as Spent, alone: spent[first] as Spent });
  }
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  return found;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The line of a table. */
function lineOf(name: string, pairs: readonly Pair[], jobs: number): string {
  const perJob = (which: keyof Pair) => (median(pairs.map((pair) => pair[which].cpuUs)) / jobs).toFixed(2);
  const ratiosOf = (figure: keyof Spent) => pairs.map((pair) => pair.supervised[figure] / pair.alone[figure]);
  const ratios = (['cpuUs', 'wallUs', 'wholeCpuUs'] as const).map((figure) => {
    const all = ratiosOf(figure);
    return `${median(all).toFixed(3)} (${Math.min(...all).toFixed(2)}–${Math.max(...all).toFixed(2)})`;
  });
  return `| ${[name, perJob('alone'), perJob('supervised'), ...ratios].join(' | ')} |`;
}

const [pairs = '9', jobs = '100000', stores = 'sqlite,redis', concurrencies = '1,10'] = process.argv.slice(2);
const titles = [
  'run',
  'CPU µs a job, alone',
  'supervised',
  'CPU ratio',
  'wall ratio',
  'CPU ratio with start',
];
process.stdout.write(`| ${titles.join(' | ')} |\n|${'---|'.repeat(titles.length)}\n`);
for (const store of stores.split(',') as Store[]) {
  for (const concurrency of concurrencies.split(',').map(Number)) {
    const found = await measure(store, concurrency, Number(pairs), Number(jobs));
    process.stdout.write(`${lineOf(`${store} c${concurrency}`, found, Number(jobs))}\n`);
  }
}
