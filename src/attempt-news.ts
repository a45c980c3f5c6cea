import type { AttemptContext, AttemptEnd } from './attempt-context.js';
import { endedJob } from './ended-job.js';
import { describeError } from './error-text.js';
import { isQueueError } from './errors.js';
import type { JobEvent } from './events.js';
import type { FailedReason } from './failed-jobs.js';
import type { HeldJob } from './held-job.js';
import { fieldsOf, leaseLost } from './job.js';
import type { JobFields } from './logger.js';
import { monotonicMs } from './monotonic.js';
import type { Payload } from './payload.js';
import type { Action } from './retry-policy.js';
import type { CountedEnd } from './statistics-keeper.js';

type LaterEvent = Exclude<JobEvent, { event: 'job:started' }>;

/** The part of an event that is particular to it. */
type OwnFields<Name> = Omit<Extract<LaterEvent, { event: Name }>, keyof JobFields | 'event' | 'durationMs'>;

/**
 * Tells of one attempt: to the log, to who listens to events, to the statistics and to the history. It keeps no more of
 * the job than that takes, as it outlives the job's data.
 */
export class AttemptNews {
  readonly #held: HeldJob;
  readonly #name: string;
  readonly #dueAt: number | undefined;
  readonly #context: AttemptContext;
  /** When the handler was started, by the wall clock, and by the monotonic one; undefined where it was not. */
  #handlerAtMs: number | undefined;
  #handlerMark = 0;
  #ranMs: number | undefined;
  /** What the handler returned, where that is kept. */
  #result: unknown;

  constructor(held: HeldJob, payload: Payload, context: AttemptContext) {
    this.#held = held;
    this.#name = payload.job;
    this.#dueAt = payload.dueAt;
    this.#context = context;
  }

  /** What is said of the job on each log line and event. */
  get fields(): JobFields {
    return fieldsOf(this.#held, this.#name, this.#context.connection);
  }

  /** The handler is about to run. */
  handlerStarts(): void {
    const { clock, events } = this.#context;
    this.#handlerMark = monotonicMs();
    this.#handlerAtMs = clock.now();
    if (!events.isHeard('job:started')) return;
    const waitMs = this.#waitedMs;
    events.emit({ event: 'job:started', ...this.fields, ...(waitMs !== undefined && { waitMs }) });
  }

  /** It threw, or returned this. */
  handlerEnded(result?: unknown): void {
    this.#ranMs = monotonicMs() - this.#handlerMark;
    if (this.#context.history) this.#result = result;
  }

  /** It was aborted for its timeout, or was killed for it. */
  timedOut(timeoutMs: number): void {
    this.#emit('job:timed-out', () => ({ timeoutMs }));
  }

  threw(error: unknown): void {
    this.#emit('job:exception', () => ({ error: describeError(error) }));
  }

  done(): void {
    this.#count('done');
    this.#remember('done');
    this.#emit('job:done', nothingMore);
  }

  /** It was released, or put off, for what went wrong. */
  released(delayMs: number, error: unknown): void {
    this.#count('released', error);
    this.#emit('job:released', () => ({ delayMs, error: describeError(error) }));
  }

  /** Its handler released it. */
  releasedByHandler(delayMs: number, abortedBy: unknown): void {
    this.#count('released', abortedBy);
    this.#emit('job:released', () => ({ delayMs }));
  }

  givenBack(): void {
    this.#emit('job:given-back', nothingMore);
  }

  /** It was given up; its hooks are still to be called. */
  givenUp(error: unknown): void {
    this.#count('failed', error);
    this.#remember('failed');
  }

  /** It was given up, and its hooks have ended. */
  failed(error: unknown, reason: FailedReason): void {
    this.#emit('job:failed', () => ({ reason, error: describeError(error) }));
  }

  /** The store refused to settle it. */
  unsettled(action: Action['action'], error: unknown): AttemptEnd {
    const what = `could not ${action} the job; it runs again when its lease lapses`;
    this.#context.logger.error({ ...this.fields, err: error }, what);
    this.#emit('job:unsettled', () => ({ error: describeError(error) }));
    return { outcome: 'unsettled', error };
  }

  /** Nobody settled it, and nobody shall. */
  kept(): void {
    this.#emit('job:kept', nothingMore);
  }

  lost(): AttemptEnd {
    const { fields } = this;
    this.#context.logger.warn(fields, 'the lease was lost: the job is another worker’s, or gone');
    this.#emit('job:lost', nothingMore);
    return { outcome: 'lost', error: leaseLost(fields) };
  }

  /** How long the job had been due when its handler started: of its first run only is that known. */
  get #waitedMs(): number | undefined {
    const dueAt = this.#dueAt;
    const atMs = this.#handlerAtMs;
    if (atMs === undefined || dueAt === undefined || this.#held.attempts !== 1) return undefined;
    return Math.max(0, atMs - dueAt);
  }

  get #handlerRanMs(): number | undefined {
    if (this.#handlerAtMs === undefined) return undefined;
    return this.#ranMs ?? monotonicMs() - this.#handlerMark;
  }

  /** @param error what the attempt ended with, where it did not end well. */
  #count(outcome: CountedEnd['outcome'], error?: unknown): void {
    const { statistics } = this.#context;
    if (!statistics) return;
    statistics.ended(this.#held.queue, this.#name, {
      outcome,
      timedOut: isQueueError(error, 'E_TIMEOUT'),
      ranMs: this.#handlerRanMs,
      waitedMs: this.#waitedMs,
    });
  }

  #remember(state: 'done' | 'failed'): void {
    const { history } = this.#context;
    if (!history) return;
    const startedAtMs = this.#handlerAtMs ?? null;
    const job = { job: this.#name, dueAt: this.#dueAt };
    history.ended(endedJob(this.#held, job, { state, startedAtMs, result: this.#result }));
  }

  /** Makes the event only where somebody listens. */
  #emit<Name extends LaterEvent['event']>(event: Name, more: () => OwnFields<Name>): void {
    const { events } = this.#context;
    if (!events.isHeard(event)) return;
    const durationMs = Math.round((monotonicMs() - this.#held.sinceMs) * 1000) / 1000;
    events.emit({ event, ...this.fields, durationMs, ...more() } as JobEvent);
  }
}

const nothingMore = () => ({});
