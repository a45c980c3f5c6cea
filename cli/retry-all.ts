import type { FailedJobFilter, Queue, Retried } from '../src/index.js';

const batchSize = 500;

/**
 * Retries every failed job that a filter lets through, in batches, and hands on what became of each.
 *
 * Each job is retried once, also when it fails again at once and stands at the top of the list anew, and
 * records that stay (a job of that id is live) are passed over: it ends whatever the jobs do.
 */
export async function* retryAll(queue: Queue, filter: FailedJobFilter): AsyncGenerator<Retried> {
  const handled = new Set<string>();
  for (let offset = 0; ; ) {
    const page = await queue.failed.list({ ...filter, limit: batchSize, offset });
    if (page.length === 0) return;
    const fresh = page.filter((job) => !handled.has(key(job)));
    for (const job of fresh) handled.add(key(job));
    const retried = fresh.length === 0 ? [] : await queue.failed.retry(fresh);
    yield* retried;
    const left = new Set(await stillThere(queue, fresh));
    offset += page.length - fresh.filter((job) => !left.has(job.uuid)).length;
  }
}

async function stillThere(queue: Queue, jobs: readonly { readonly uuid: string }[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const found = await queue.failed.find(jobs.map((job) => job.uuid));
  return found.map((job) => job.uuid);
}

function key(job: { readonly connection: string; readonly queue: string; readonly jobId: string }): string {
  return JSON.stringify([job.connection, job.queue, job.jobId]);
}
