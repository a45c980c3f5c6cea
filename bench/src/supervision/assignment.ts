import type { Place } from '../contender.js';

/** What a worker process is told by the command that measures it. */
export interface Assignment {
  readonly place: Place;
  readonly jobs: number;
  /** Where to write the {@link Spent}. */
  readonly answerTo: string;
}

/** What the jobs between the first handler and the last took. */
export interface Spent {
  readonly wallUs: number;
  /** Processor time of all threads of the process: the watchdog's and those of the garbage collector too. */
  readonly cpuUs: number;
  /** The processor time from the start of the process on. */
  readonly wholeCpuUs: number;
}

/** The name of the variable that the assignment is in. */
export const variable = 'DROVER_BENCH_SUPERVISION';
