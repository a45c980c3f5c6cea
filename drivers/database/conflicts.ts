import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../src/index.js';

/** How long a call keeps trying against other processes' locks, in ms. */
export const conflictBudgetMs = 10_000;

const shortestWaitMs = 2;
const longestWaitMs = 60;

/**
 * Repeats an attempt that met another process's lock until it passes or the budget is spent; then it throws
 * the conflict. The waits leave the event loop free, and their jitter keeps processes from meeting again.
 */
export async function retryConflicts<T>(
  attempt: () => Promise<T>,
  isConflict: (error: unknown) => boolean,
  budgetMs: number,
): Promise<T> {
  const giveUpAt = monotonicMs() + budgetMs;
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || monotonicMs() >= giveUpAt) throw error;
    }
    const ceilingMs = Math.min(longestWaitMs, shortestWaitMs * 2 ** tries);
    await sleep(ceilingMs * (0.5 + Math.random() / 2));
  }
}
