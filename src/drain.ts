import type { Bell } from './bell.js';
import type { Logger } from './logger.js';
import { monotonicMs } from './monotonic.js';
import { startTimer } from './timer.js';
import type { WorkInHand } from './work-in-hand.js';

/** How long a stopping worker waits for the answer of a store after the grace. */
const storeAnswersWithinMs = 10_000;

/** What is drained, and how. */
export interface Drain {
  readonly work: Pick<WorkInHand, 'isBusy' | 'abandon' | 'active'>;
  /** Rings whenever something has ended. */
  readonly bell: Bell;
  /** Whether the worker shall end soon; the bell rings when it becomes so. */
  isHurried(): boolean;
  /** How long running jobs may go on from then, as if nothing had happened. */
  readonly patienceMs: number;
  /** How long handlers and settlements have after that. */
  readonly graceMs: number;
  readonly logger: Logger;
  /** Waits no longer for a store that is away. */
  giveUp(): void;
}

/**
 * Lets work end; aborts it when the patience is over, and gives up on a store that is away after the grace. Resolves
 * when all have been settled, or a store never answered; handlers may go on in any case.
 */
export async function drain(about: Drain): Promise<void> {
  const { work, bell, isHurried, patienceMs, graceMs, logger, giveUp } = about;
  while (work.isBusy && !isHurried()) await bell.wait();
  const until = monotonicMs() + patienceMs;
  for (let leftMs = patienceMs; work.isBusy && leftMs > 0; leftMs = until - monotonicMs()) {
    await bell.wait(leftMs);
  }
  work.abandon();
  const stopTimer = startTimer(graceMs, giveUp);
  const latest = monotonicMs() + graceMs + storeAnswersWithinMs;
  while (work.isBusy && monotonicMs() < latest) await bell.wait(latest - monotonicMs());
  if (work.isBusy) {
    const left = { jobs: work.active };
    logger.error(left, 'a store never answered; its jobs come back when their leases lapse');
  }
  stopTimer();
}
