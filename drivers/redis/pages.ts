import type { LiveJob, LiveState, Peek } from '../../src/index.js';

/** Members that are read in one go: each may be a megabyte. */
const pageSize = 100;

/** Reads some jobs of a state, from an offset on; fewer than the limit where there are no more. */
type Page = (state: LiveState, offset: number, limit: number) => Promise<LiveJob[]>;

/** The connector's `peek`, by pages. */
export async function peekPages(page: Page, { state, limit, offset = 0 }: Peek): Promise<LiveJob[]> {
  const jobs: LiveJob[] = [];
  while (jobs.length < limit) {
    const most = Math.min(pageSize, limit - jobs.length);
    const read = await page(state, offset + jobs.length, most);
    jobs.push(...read);
    if (read.length < most) break;
  }
  return jobs;
}

/** The connector's `find`: reads the queue until it finds the job. */
export async function findInPages(page: Page, id: string): Promise<LiveJob | null> {
  // In the order in which a job moves on, so that one that moves meanwhile is met later.
  for (const state of ['delayed', 'ready', 'reserved'] as const) {
    for (let offset = 0; ; offset += pageSize) {
      const read = await page(state, offset, pageSize);
      const found = read.find((job) => job.id === id);
      if (found) return found;
      if (read.length < pageSize) break;
    }
  }
  return null;
}
