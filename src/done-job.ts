import type { AttemptContext, AttemptEnd, OnAttemptEnd } from './attempt-context.js';
import type { AttemptNews } from './attempt-news.js';
import type { Lease } from './connector.js';
import type { FireEnd } from './fire.js';
import type { HeldJob } from './held-job.js';
import type { Deletion } from './trips.js';

/** How nearly all attempts end. */
export const done: AttemptEnd = { outcome: 'done' };

/**
 * What is left of an attempt while its job is deleted. The rest, and the job's data, is collected by then: a worker has
 * hundreds of such jobs at a time, and what outlives collections makes V8 take more memory.
 */
export class DoneJob implements Deletion {
  readonly #held: HeldJob;
  readonly #news: AttemptNews;
  readonly #context: Pick<AttemptContext, 'onSettled'>;
  readonly #onEnd: OnAttemptEnd;
  readonly #run: FireEnd | undefined;

  /** @param run of its handler, where that was in this process. */
  constructor(
    held: HeldJob,
    news: AttemptNews,
    context: Pick<AttemptContext, 'onSettled'>,
    onEnd: OnAttemptEnd,
    run: FireEnd | undefined,
  ) {
    held.forgetRest();
    this.#held = held;
    this.#news = news;
    this.#context = context;
    this.#onEnd = onEnd;
    this.#run = run;
  }

  get lease(): Lease {
    return this.#held.lease;
  }

  deleted(held: boolean): void {
    if (held) {
      this.#context.onSettled?.(this.#held);
      this.#news.done();
    }
    this.#ended(held ? done : this.#news.lost());
  }

  notDeleted(error: unknown): void {
    this.#ended(this.#news.unsettled('delete', error));
  }

  #ended(end: AttemptEnd): void {
    this.#onEnd(this.#held, withRun(end, this.#run));
  }
}

/** The end of an attempt, with what is to be known of its run. */
export function withRun(end: AttemptEnd, run: FireEnd | undefined): AttemptEnd {
  if (run === undefined) return end; // it was not started
  const { stillRunning } = run;
  if (end.outcome === 'done' && !stillRunning) return end;
  return { ...end, wasStarted: true, ...(stillRunning && { stillRunning }) };
}
