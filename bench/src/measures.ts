import { coldStartMs, programs } from './cold/start.js';
import type { Entry } from './contenders.js';
import { Crew, type Member } from './crew.js';
import type { Server } from './servers.js';
import type { Tally, Task } from './task.js';

/** How large the measurements are. */
export interface Sizes {
  /** Jobs to push, and to drain. */
  readonly jobs: number;
  /** Jobs whose latency is taken. */
  readonly paced: number;
  /** The longest that one measurement may take, in ms; it counts what was done until then. */
  readonly limitMs: number;
}

/** What one measurement works with. */
interface Setting {
  readonly entry: Entry;
  readonly server: Server;
  readonly sizes: Sizes;
  /** A folder for CPU profiles of what is measured. */
  readonly profileTo?: string;
}

/** The figures of one measurement, by name. */
export type Figures = Readonly<Record<string, number>>;

/** What one measurement found out. */
export interface Findings {
  readonly figures: Figures;
  /** How often the server ran each command, per job. */
  readonly commands?: Figures;
}

type Measure = (setting: Setting) => Promise<Findings>;

const startPatienceMs = 30_000;

/** The measures by name; `push` and `drain` name groups of them. */
export const measures = {
  'push-1': pushed('one-by-one', 'push: one at a time, jobs/s'),
  'push-100': pushed('in-flight', 'push: 100 under way, jobs/s'),
  'push-bulk': pushed('bulk', 'push: 1,000 a call, jobs/s'),
  'drain-1': drained(1, 1, 'drain: concurrency 1, jobs/s'),
  'drain-10': drained(1, 10, 'drain: concurrency 10, jobs/s'),
  'drain-100': drained(1, 100, 'drain: concurrency 100, jobs/s'),
  'drain-2x10': drained(2, 10, 'drain: 2 processes of concurrency 10, jobs/s'),
  latency,
  cold,
} as const satisfies Readonly<Record<string, Measure>>;

/** The name of a measure. */
export type MeasureName = keyof typeof measures;

/** Whether more of a figure is better than less. */
export function moreIsBetter(figure: string): boolean {
  return figure.endsWith('jobs/s');
}

function pushed(how: NonNullable<Task['how']>, figure: string): Measure {
  return async ({ entry, server, sizes: { jobs: all, limitMs }, profileTo }) => {
    const jobs = Math.ceil(all * (entry.share ?? 1));
    const place = await server.emptyPlace();
    const task = { contender: entry.name, place, role: 'push', jobs, how, limitMs } as const;
    return inCrew(entry, profileTo, async (crew) => ({ figures: { [figure]: await pushRate(crew, task) } }));
  };
}

function drained(processes: number, concurrency: number, figure: string): Measure {
  return async ({ entry, server, sizes, profileTo }) => {
    const { limitMs } = sizes;
    const jobs = Math.ceil(sizes.jobs * (entry.share ?? 1));
    const place = await server.emptyPlace();
    const task = { contender: entry.name, place, jobs };
    await inCrew(entry, undefined, (crew) => pushRate(crew, { ...task, role: 'push' }));
    await server.startCounting?.();
    const tallies = await inCrew(entry, profileTo, async (crew) => {
      const workers = await startWorkers(crew, processes, { ...task, role: 'work', concurrency });
      const handled = () => handledBy(workers.flatMap((worker) => worker.last('tally') ?? []));
      await crew.until(() => handled() >= jobs, limitMs);
      if (handled() < 2) throw new Error(`nothing was handled within ${limitMs} ms`);
      return workers.flatMap((worker) => worker.last('tally') ?? []);
    });
    const rate = { [figure]: rateOf(tallies) };
    if (processes > 1 || concurrency !== 10) return { figures: rate };
    // Servers of databases know all only when the workers have left.
    const commands = await commandsPerJob(server, handledBy(tallies));
    return { figures: { ...rate, ...costOf(tallies) }, commands };
  };
}

async function latency({ entry, server, sizes: { paced, limitMs } }: Setting): Promise<Findings> {
  const place = await server.emptyPlace();
  const task = { contender: entry.name, place };
  return inCrew(entry, undefined, async (crew) => {
    const [worker] = await startWorkers(crew, 1, { ...task, role: 'work', jobs: paced + 1, concurrency: 1 });
    const pusher = crew.start({ ...task, role: 'pace', jobs: paced });
    const bothRun = () => pusher.last('ready') !== undefined && worker?.last('tally') !== undefined;
    if (!(await crew.until(bothRun, startPatienceMs))) throw new Error('the first job was not handled');
    pusher.begin();
    await crew.until(() => (worker?.last('tally')?.handled ?? 0) > paced, paced * 20 + limitMs);
    const [, ...took] = worker?.last('tally')?.latenciesUs ?? [];
    took.sort((a, b) => a - b);
    const quantile = (part: number) => (took[Math.ceil(took.length * part) - 1] ?? 0) / 1000;
    return {
      figures: {
        'latency: push to handler, p50, ms': quantile(0.5),
        'latency: push to handler, p95, ms': quantile(0.95),
        'latency: push to handler, p99, ms': quantile(0.99),
      },
    };
  });
}

/** Pushes a job, and takes the time from the start of the command to its handler. */
async function cold({ entry, server }: Setting): Promise<Findings> {
  const program = programs[entry.name];
  if (program === undefined) return { figures: {} };
  const place = await server.emptyPlace();
  const task = { contender: 'drover', place, role: 'push', jobs: 1 } as const;
  await inCrew(entry, undefined, (crew) => pushRate(crew, task));
  return { figures: { 'cold start to first job, ms': await coldStartMs(program(place), place) } };
}

async function inCrew<T>(
  entry: Entry,
  profileTo: string | undefined,
  work: (crew: Crew) => Promise<T>,
): Promise<T> {
  const crew = new Crew(entry, profileTo);
  try {
    return await work(crew);
  } finally {
    await crew.stop();
  }
}

async function pushRate(crew: Crew, task: Task): Promise<number> {
  const pusher = crew.start(task);
  const isDone = await crew.until(() => pusher.last('pushed') !== undefined, 120_000);
  const { jobs, us } = pusher.last('pushed') ?? { jobs: 0, us: 1 };
  if (!isDone) throw new Error('the pushes did not end within 120 s');
  return (jobs / us) * 1_000_000;
}

/** Starts workers that begin at once, with their code loaded; commands begin as soon as they can. */
async function startWorkers(crew: Crew, processes: number, task: Task): Promise<Member[]> {
  const workers = Array.from({ length: processes }, () => crew.start(task));
  const areReady = () => workers.every((worker) => worker.last('ready') !== undefined);
  if (!(await crew.until(areReady, startPatienceMs))) throw new Error('the worker did not start');
  for (const worker of workers) worker.begin();
  return workers;
}

function handledBy(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, tally) => sum + tally.handled, 0);
}

/** The last batch may not be acknowledged yet, so what is counted is handlers, from the first to the last. */
function rateOf(tallies: readonly Tally[]): number {
  const firstUs = Math.min(...tallies.map((tally) => tally.firstUs));
  const lastUs = Math.max(...tallies.map((tally) => tally.lastUs));
  return ((handledBy(tallies) - 1) / (lastUs - firstUs)) * 1_000_000;
}

function costOf(tallies: readonly Tally[]): Figures {
  const [{ cpuUs, handled, rssKiB } = { cpuUs: 0, handled: 1, rssKiB: 0 }] = tallies;
  return {
    'cost at concurrency 10: worker CPU, s per 10,000 jobs': cpuUs / handled / 100,
    'cost at concurrency 10: worker peak memory, MiB': rssKiB / 1024,
  };
}

async function commandsPerJob(server: Server, handled: number): Promise<Figures> {
  const counted = Object.entries((await server.counted?.()) ?? {});
  return Object.fromEntries(counted.map(([name, calls]) => [name, calls / handled]));
}
