import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../src/index.js';
import type { Answer } from './dialects/dialect.js';

/** How long a call keeps trying against other processes' locks, in ms. */
export const conflictBudgetMs = 10_000;

const shortestWaitMs = 2;
const longestWaitMs = 60;

/**
 * Repeats an attempt that met another process's lock until it passes or the budget is spent; then it throws
 * the conflict. The waits leave the event loop free, and their jitter keeps processes from meeting again. Answers at once
 * where the first attempt does, and never throws at once.
 */
export function retryConflicts<T>(
  attempt: () => Answer<T>,
  isConflict: (error: unknown) => boolean,
  budgetMs: number,
): Answer<T> {
  const giveUpAt = monotonicMs() + budgetMs;
  const goOn = (error: unknown): Promise<T> =>
    repeat(attempt, error, (met) => isConflict(met) && monotonicMs() < giveUpAt);
  try {
    const answer = attempt();
    return answer instanceof Promise ? answer.catch(goOn) : answer;
  } catch (error) {
    return goOn(error);
  }
}

/** @param first what the first attempt ended with. */
async function repeat<T>(
  attempt: () => Answer<T>,
  first: unknown,
  isWorthwhile: (error: unknown) => boolean,
): Promise<T> {
  let met = first;
  for (let tries = 0; isWorthwhile(met); tries += 1) {
    const ceilingMs = Math.min(longestWaitMs, shortestWaitMs * 2 ** tries);
    await sleep(ceilingMs * (0.5 + Math.random() / 2));
    try {
      return await attempt();
    } catch (error) {
      met = error;
    }
  }
  throw met;
}
