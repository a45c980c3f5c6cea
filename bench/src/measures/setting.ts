import type { Entry } from '../contenders.js';
import { Crew, type Member } from '../crew.js';
import type { Server } from '../servers.js';
import type { Tally, Task } from '../task.js';

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
export interface Setting {
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
  /** How often the server did each thing, per job. */
  readonly commands?: Figures;
}

/** One measurement. */
export type Measure = (setting: Setting) => Promise<Findings>;

/** How long a process may take to start. */
export const startPatienceMs = 30_000;
const loadPatienceMs = 120_000;

/** Lets processes do some work, and ends them. */
export async function inCrew<T>(
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

/** Pushes jobs in a process of its own; answers how many, and how many a second. */
export async function pushed(crew: Crew, task: Task): Promise<{ jobs: number; rate: number }> {
  const pusher = crew.start({ ...task, limitMs: task.limitMs ?? loadPatienceMs });
  const isDone = await crew.until(() => pusher.last('pushed') !== undefined, 2 * loadPatienceMs);
  const { jobs, us } = pusher.last('pushed') ?? { jobs: 0, us: 1 };
  if (!isDone) throw new Error(`the pushes did not end within ${2 * loadPatienceMs} ms`);
  return { jobs, rate: (jobs / us) * 1_000_000 };
}

/** Starts workers that begin at once, with their code loaded; commands begin as soon as they can. */
export async function startWorkers(crew: Crew, processes: number, task: Task): Promise<Member[]> {
  const workers = Array.from({ length: processes }, () => crew.start(task));
  const areReady = () => workers.every((worker) => worker.last('ready') !== undefined);
  if (!(await crew.until(areReady, startPatienceMs))) throw new Error('the worker did not start');
  for (const worker of workers) worker.begin();
  return workers;
}

/** How many jobs were handled. */
export function handledBy(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, tally) => sum + tally.handled, 0);
}
