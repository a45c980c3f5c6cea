import { cold } from './measures/cold.js';
import { drain } from './measures/drain.js';
import { latency } from './measures/latency.js';
import { push } from './measures/push.js';
import type { Measure } from './measures/setting.js';

/** Enough that no contender has a tenth of them in its memory before the first is handled. */
const largeDrain = { bytes: 20_000, share: 0.2 };
const largePush = { bytes: 20_000, share: 0.05 };

/** All backlogs have as few handled of them as the smallest holds. */
const backlogShare = 0.2;

/** The measures by name; `push`, `drain` and `backlog` name groups of them. */
export const measures = {
  'push-1': push('push: one at a time, jobs/s', { how: 'one-by-one' }),
  'push-100': push('push: 100 under way, jobs/s', { how: 'in-flight' }),
  'push-bulk': push('push: 1,000 a call, jobs/s', { how: 'bulk' }),
  'push-20k': push('push: one of 20 KB at a time, jobs/s', { how: 'one-by-one', ...largePush }),
  'drain-1': drain('drain: concurrency 1, jobs/s', { concurrency: 1 }),
  'drain-10': drain('drain: concurrency 10, jobs/s', { concurrency: 10, withCost: true }),
  'drain-100': drain('drain: concurrency 100, jobs/s', { concurrency: 100 }),
  'drain-2x10': drain('drain: 2 processes of concurrency 10, jobs/s', { processes: 2, concurrency: 10 }),
  'drain-20k': drain('drain: 20 KB a job, concurrency 10, jobs/s', { concurrency: 10, ...largeDrain }),
  'drain-io': drain('drain: handlers that wait 2 ms, concurrency 10, jobs/s', {
    concurrency: 10,
    handlerMs: 2,
    share: 0.1,
  }),
  'backlog-1k': backlog(1000),
  'backlog-20k': backlog(20_000),
  'backlog-100k': backlog(100_000),
  'backlog-1m': backlog(1_000_000),
  'delayed-100k': drain('backlog: 100,000 delayed besides, concurrency 10, jobs/s', {
    concurrency: 10,
    delayed: 100_000,
    share: backlogShare,
  }),
  latency,
  cold,
} as const satisfies Readonly<Record<string, Measure>>;

/** The name of a measure. */
export type MeasureName = keyof typeof measures;

/** Whether more of a figure is better than less. */
export function moreIsBetter(figure: string): boolean {
  return figure.endsWith('jobs/s');
}

function backlog(waiting: number): Measure {
  const many = waiting.toLocaleString('en-US');
  return drain(`backlog: ${many} waiting, concurrency 10, jobs/s`, {
    concurrency: 10,
    waiting,
    share: backlogShare,
  });
}
