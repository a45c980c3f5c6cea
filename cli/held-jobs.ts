import type { Queue } from '../src/index.js';

/** How many jobs of these queues are reserved, or undefined where the store does not say. */
export async function heldElsewhere(queues: readonly string[], queue: Queue): Promise<number | undefined> {
  try {
    const sizes = await Promise.all(queues.map((name) => queue.size(name)));
    return sizes.reduce((sum, { reserved }) => sum + reserved, 0);
  } catch {
    return undefined; // a remark beside the reason: no error of a worker that has done its work
  }
}

/** The remark on jobs that are held, for the end of a sentence; nothing where there are none. */
export function heldText(reserved: number | undefined): string {
  if (!reserved) return '';
  return reserved === 1
    ? ' (1 job is held by another worker or waits for its lease to lapse)'
    : ` (${reserved} jobs are held by other workers or wait for their leases to lapse)`;
}
