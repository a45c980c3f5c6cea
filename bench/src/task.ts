import type { Place } from './contender.js';

/** What one process has to do; it finds this in its environment. */
export interface Task {
  readonly contender: string;
  readonly place: Place;
  readonly role: 'push' | 'work' | 'pace';
  /** How many jobs to push; for workers, how many there are to handle. */
  readonly jobs: number;
  /** How a `push` is done: awaiting each, with 100 under way, or 1,000 a call. Default: the fastest there is. */
  readonly how?: 'one-by-one' | 'in-flight' | 'bulk';
  /** When a `push` ends, though not all jobs are pushed. */
  readonly limitMs?: number;
  /** Bytes of text in each job that is pushed. Default: some sixty. */
  readonly bytes?: number;
  /** In how many ms the pushed jobs are due. Default: at once. */
  readonly delayMs?: number;
  /** Of a worker. */
  readonly concurrency?: number;
  /** How long the handler of a worker waits, in ms. Default: it does nothing. */
  readonly handlerMs?: number;
}

/** What a process tells its parent. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'pushed'; readonly jobs: number; readonly us: number }
  | ({ readonly type: 'tally' } & Tally)
  | { readonly type: 'failed'; readonly message: string };

/** What a worker has done so far. */
export interface Tally {
  readonly handled: number;
  /** When the first and the last handler ran, on the clock of `nowUs`. */
  readonly firstUs: number;
  readonly lastUs: number;
  /** Processor time of the worker's process since its first job. */
  readonly cpuUs: number;
  /** The most memory that it has had. */
  readonly rssKiB: number;
  /** From push to handler, of each job; kept of short runs only. */
  readonly latenciesUs: readonly number[];
}

const variable = 'DROVER_BENCH_TASK';

/** The environment of a process that shall do the task. */
export function environmentOf(task: Task): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: JSON.stringify(task) };
}

export function taskOfThisProcess(): Task {
  const text = process.env[variable];
  if (text === undefined) throw new Error(`${variable} is not set: start this through run.js`);
  return JSON.parse(text) as Task;
}

/** Tells the parent; without a parent any more there is nothing left to do. */
export function report(what: Report): void {
  if (process.connected) process.send?.(what, () => {});
}
