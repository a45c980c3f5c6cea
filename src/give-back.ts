import type { AttemptContext } from './attempt-context.js';
import type { HeldJob } from './held-job.js';

/** Returns jobs that were not started to their store. Where that fails, their leases lapse. Never rejects. */
export async function giveBack(
  jobs: readonly HeldJob[],
  { logger, settler }: Pick<AttemptContext, 'logger' | 'settler'>,
): Promise<void> {
  const given = await Promise.allSettled(jobs.map((job) => settler.giveBack(job.lease)));
  for (const one of given) {
    if (one.status === 'rejected')
      logger.warn({ err: one.reason }, 'could not give a job back; its lease lapses');
  }
  for (const { watch } of jobs) watch?.ended();
}
