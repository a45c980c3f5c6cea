import { isQueueError } from './errors.js';
import type { Logger } from './logger.js';
import { monotonicMs } from './monotonic.js';

/** How long a worker that does not run for ever goes on trying to reach its store. */
const oneShotPatienceMs = 30_000;

/** How long a worker puts up with a store that does not answer. */
export interface OutageLimits {
  /** 0: no limit. */
  readonly maxOutageMs: number;
  /** Whether the worker ends by itself when there is nothing to do. */
  readonly isOneShot: boolean;
}

/** Keeps the time since when a store has not answered, and decides how to go on. */
export class Outage {
  readonly #limits: OutageLimits;
  readonly #logger: Logger;
  #sinceMs: number | undefined;

  constructor(limits: OutageLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  /** The store has answered. Tells after how many ms, where it had not for a while. */
  over(): number | undefined {
    if (this.#sinceMs === undefined) return undefined;
    const awayMs = Math.round(monotonicMs() - this.#sinceMs);
    this.#sinceMs = undefined;
    this.#logger.info({ awayMs }, 'the store answers again');
    return awayMs;
  }

  /**
   * Answers after how many ms to ask again, or undefined once the store was away for too long.
   *
   * @throws the error where trying again does not mend it, or nobody waits that long.
   */
  waitAfter(error: unknown): number | undefined {
    if (!isQueueError(error) || !error.transient) throw error;
    this.#sinceMs ??= monotonicMs();
    const awayMs = monotonicMs() - this.#sinceMs;
    const { maxOutageMs, isOneShot } = this.#limits;
    if (maxOutageMs > 0 && awayMs >= maxOutageMs) {
      this.#logger.error({ err: error, awayMs: Math.round(awayMs) }, 'the store was away for too long');
      return undefined;
    }
    if (isOneShot && awayMs > oneShotPatienceMs) throw error;
    const backoffMs = Math.min(Math.max(100, awayMs), 4000) * (0.8 + 0.4 * Math.random());
    const waitMs = Math.round(maxOutageMs > 0 ? Math.min(backoffMs, maxOutageMs - awayMs) : backoffMs);
    this.#logger.warn({ err: error, waitMs }, 'the store does not answer; trying again');
    return waitMs;
  }
}
