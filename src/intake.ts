import type { Bell } from './bell.js';
import type { Connector, ReservedJob } from './connector.js';
import type { Controls } from './controls.js';
import { JobWait, shortestLookMs } from './job-wait.js';
import { monotonicMs } from './monotonic.js';
import type { Outage } from './outage.js';
import type { Settler } from './settler.js';
import type { StopReason } from './stop-conditions.js';
import type { WorkInHand } from './work-in-hand.js';
import type { WorkerNews } from './worker-news.js';

/** What an {@link Intake} works with. */
export interface IntakeOptions {
  readonly connector: Connector;
  readonly settler: Pick<Settler, 'reserve'>;
  readonly leaseMs: number;
  readonly controls: Pick<Controls, 'open'>;
  readonly work: Pick<WorkInHand, 'active'>;
  /** Ends every wait when it rings. */
  readonly bell: Bell;
  readonly news: WorkerNews;
  readonly outage: Outage;
  /** Called when a reserve has failed, before the wait that follows. */
  onFailed(): void;
  isStopping(): boolean;
  stop(reason: StopReason): void;
}

/** Takes jobs from a worker's open queues, and waits while they have none or the store is away. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #wait: JobWait;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#wait = new JobWait(options.connector, options.bell);
  }

  /**
   * Answers undefined when the store could not be reached; the wait is over then.
   *
   * @param atOnce for a worker that has jobs to run meanwhile, or none at all; else what else this turn has for the store goes along.
   */
  async reserve(limit: number, atOnce: boolean): Promise<ReservedJob[] | undefined> {
    const { settler, controls, leaseMs, news, outage } = this.#options;
    try {
      const jobs = await settler.reserve(controls.open, limit, leaseMs, atOnce);
      const awayMs = outage.over();
      if (awayMs !== undefined) news.storeBack(awayMs);
      return jobs;
    } catch (error) {
      this.#options.onFailed();
      await this.#afterStoreError(error);
      return undefined;
    }
  }

  /**
   * Waits for a job that may be due, for at most so long. Answers true where nothing is due at this moment, as far as
   * the store says so.
   *
   * @param looks how many have found nothing in a row, from 1.
   */
  async wait(looks: number, mostMs: number): Promise<boolean> {
    const { controls, news, work, isStopping } = this.#options;
    if (isStopping()) return false;
    if (work.active === 0) news.idle();
    try {
      return await this.#wait.wait(controls.open, looks, mostMs);
    } catch (error) {
      await this.#afterStoreError(error);
      return false;
    }
  }

  /** Stops the worker unless a job is ready, or falls due within the time given. */
  async stopUnlessDueSoon(waitMs: number): Promise<void> {
    const { bell, connector, controls, isStopping, stop } = this.#options;
    const until = monotonicMs() + waitMs;
    try {
      for (let looks = 1; !isStopping(); looks++) {
        const sizes = await Promise.all(controls.open.map((queue) => connector.size(queue)));
        if (sizes.some((size) => size.ready > 0)) {
          // Others may be taking what is ready: not a reason to ask without end.
          return bell.wait(shortestLookMs);
        }
        const leftMs = until - monotonicMs();
        if (leftMs <= 0 || sizes.every((size) => size.delayed === 0)) return stop('empty');
        await this.wait(looks, leftMs);
      }
    } catch (error) {
      await this.#afterStoreError(error);
    }
  }

  /** Ends the wait for a job that is under way. */
  endWait(): void {
    this.#wait.end();
  }

  async #afterStoreError(error: unknown): Promise<void> {
    const { bell, isStopping, news, outage, stop } = this.#options;
    const waitMs = outage.waitAfter(error);
    if (waitMs === undefined) return stop('outage');
    news.storeAway(error, waitMs);
    if (!isStopping()) await bell.wait(waitMs);
  }
}
