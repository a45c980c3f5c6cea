import type { Task } from '../task.js';
import { inCrew, type Measure, pushed } from './setting.js';

/** Fewer say nothing, however slow a contender is. */
const fewestJobs = 2000;

/** How jobs are pushed. */
export interface Pushing {
  readonly how: NonNullable<Task['how']>;
  /** Bytes of text in each job. Default: those of `jobData`. */
  readonly bytes?: number;
  /** The part of the jobs that is pushed. Default: all. */
  readonly share?: number;
}

/** Measures how many jobs are pushed in a second. */
export function push(figure: string, { how, share = 1, ...task }: Pushing): Measure {
  return async ({ entry, server, sizes: { jobs: all, limitMs }, profileTo }) => {
    const fewer = Math.ceil(all * share * (entry.share ?? 1));
    const jobs = Math.max(fewer, Math.min(all * share, fewestJobs));
    const place = await server.emptyPlace();
    return inCrew(entry, profileTo, async (crew) => {
      const { rate } = await pushed(crew, {
        ...task,
        contender: entry.name,
        place,
        role: 'push',
        jobs,
        how,
        limitMs,
      });
      return { figures: { [figure]: rate } };
    });
  };
}
