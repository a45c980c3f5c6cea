import type { FailedJob, Queue } from '../src/index.js';
import { type Args, usage } from './args.js';
import type { Io } from './io.js';
import { plain } from './plain-text.js';

/** The failed jobs that ids on the command line mean, and the ids that mean none. */
export interface FoundFailed {
  readonly jobs: FailedJob[];
  readonly unknown: string[];
}

/** Looks ids up, each a uuid or a job id. A job id that failed in two queues means both. */
export async function findFailed(queue: Queue, ids: readonly string[]): Promise<FoundFailed> {
  const jobs = await queue.failed.find(ids);
  const known = new Set(jobs.flatMap((job) => [job.uuid, job.jobId]));
  return { jobs, unknown: ids.filter((id) => !known.has(id)) };
}

/** Says of each unknown id that it is none, on stderr. */
export function tellUnknown(unknown: readonly string[], io: Io): void {
  for (const id of unknown) io.stderr.write(`no failed job has the id ${plain(id)}\n`);
}

/** The filter flags that `queue:failed` and `queue:retry all` share. */
export function failedFilter(
  args: Args,
  queue: Queue,
): { connection?: string; queue?: string; name?: string; sinceMs?: number; untilMs?: number } {
  const nowMs = Date.now();
  const sinceMs = args.since('since', nowMs);
  const untilMs = args.since('until', nowMs);
  const filter = { queue: args.text('queue'), name: args.text('name') };
  return {
    // Without --connection the failed jobs of all connections are meant.
    ...(args.text('connection') !== undefined && { connection: queue.connectionName }),
    ...(filter.queue !== undefined && { queue: filter.queue }),
    ...(filter.name !== undefined && { name: filter.name }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
}

/** @throws QueueError `E_USAGE` for filter flags where jobs are named by id. */
export function refuseFilter(args: Args): void {
  for (const name of ['queue', 'name', 'since', 'until', 'limit']) {
    if (args.text(name) !== undefined) throw usage(`--${name} makes no sense beside an id`);
  }
}
