import type { AttemptContext, AttemptEnd } from './attempt.js';
import { AttemptNews } from './attempt-news.js';
import type { Lease, ReservedJob } from './connector.js';
import { describeError } from './error-text.js';
import { isQueueError, type QueueError } from './errors.js';
import { callHooks } from './failed-hook.js';
import type { FailedReason } from './failed-jobs.js';
import { failureRecord } from './failure-record.js';
import { Handling } from './handling.js';
import type { HeldJob } from './held-job.js';
import { Job, type JobState, type JobVerbs, leaseLost } from './job.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import type { Action, RunEnd } from './retry-policy.js';
import type { Deletion } from './trips.js';
import type { NotedFailure } from './wire-format.js';

/** Told how an attempt ended. */
export type OnEnd = (end: AttemptEnd) => void;

/** Those that are less frequent, and may take a promise each. */
type OtherAction = Exclude<Action, { readonly action: 'delete' }>;

/** How nearly all attempts end. */
const done: AttemptEnd = { outcome: 'done' };

/** One attempt's job, and the effects that its handler's verbs and the attempt's verdict have. */
export class Settlement implements JobVerbs, Deletion {
  readonly job: Job;
  readonly handling: Handling;
  readonly #held: HeldJob;
  readonly #reserved: ReservedJob;
  readonly #payload: Payload;
  readonly #context: AttemptContext;
  readonly #pid: number | undefined;
  readonly #news: AttemptNews;
  readonly #ended: OnEnd;
  #failure: { error: unknown; reason: FailedReason } | undefined;

  /**
   * @param handler undefined where the job cannot run.
   * @param ended told once, of what `settle` or `keep` led to.
   * @param pid of the process that ran the job, where that was not this one.
   */
  constructor(
    held: HeldJob,
    payload: Payload,
    handler: Handler | undefined,
    context: AttemptContext,
    ended: OnEnd,
    pid?: number,
  ) {
    const { reserved } = held;
    this.#pid = pid;
    this.#held = held;
    this.#reserved = reserved;
    this.#payload = payload;
    this.#context = context;
    this.#ended = ended;
    this.job = new Job(reserved, payload, context.connection, this);
    this.#news = new AttemptNews(this.job, held, payload, context);
    this.handling = new Handling(held, payload, handler, context, this.#news);
  }

  get lease(): Lease {
    return this.#reserved.lease;
  }

  /** The handler's verbs. */
  delete(): Promise<boolean> {
    return this.#whenSettled(this.#context.settler.delete(this.lease));
  }

  deleteIn(transaction: object): Promise<boolean> {
    return this.#whenSettled(this.#context.deleteIn(transaction, this.lease));
  }

  release(delayMs: number): Promise<boolean> {
    return this.#whenSettled(this.#context.settler.release(this.lease, delayMs));
  }

  fail(error: unknown): Promise<boolean> {
    return this.#whenSettled(this.#fail(error, 'by-handler'));
  }

  run(): unknown {
    return this.handling.run(this.job);
  }

  misused(error: QueueError): void {
    this.#context.logger.warn({ ...this.job.fields, err: error }, error.message);
  }

  /** Says that the handler has ended. */
  handlerEnded(result?: unknown): void {
    this.#news.handlerEnded(result);
  }

  /** Says that the handler was aborted for its timeout, or was killed for it. */
  tellTimeout(timeoutMs: number): void {
    this.#news.timedOut(timeoutMs);
  }

  /** Says that the handler threw, where it did: not of data that it never saw, nor of what an abort led to. */
  tellException(end: RunEnd): void {
    if (end.returned || end.abortedBy !== undefined || this.handling.refusal !== undefined) return;
    this.#news.threw(end.error);
  }

  /** The verdict on a run that ended before the handler started, as the job's schema refused the data. */
  refusedData(end: RunEnd): Action | undefined {
    const { refusal } = this.handling;
    if (refusal === undefined || end.abortedBy) return undefined;
    return { action: 'fail', reason: 'bad-payload', error: refusal.error }; // a retry changes no data
  }

  async #whenSettled(verb: Promise<boolean>): Promise<boolean> {
    const held = await verb;
    if (held) this.#context.onSettled?.(this.#held);
    return held;
  }

  /** Carries out a verdict. Where the store refuses, the job stays reserved until its lease lapses. */
  settle(verdict: Action): void {
    this.job.close();
    if (verdict.action === 'delete') this.#context.settler.deleteWithNext(this);
    else void this.#settle(verdict);
  }

  /** The answer to the delete of a verdict. */
  deleted(held: boolean): void {
    if (held) {
      this.#context.onSettled?.(this.#held);
      this.#news.done();
    }
    this.#ended(held ? done : this.#lost());
  }

  notDeleted(error: unknown): void {
    this.#ended(this.#unsettled('delete', error));
  }

  async #settle(verdict: OtherAction): Promise<void> {
    let held: boolean;
    try {
      held = await this.#whenSettled(this.#apply(verdict));
    } catch (error) {
      this.#ended(this.#unsettled(verdict.action, error));
      return;
    }
    this.#ended(held ? await this.#settled(verdict) : this.#lost());
  }

  #unsettled(action: Action['action'], error: unknown): AttemptEnd {
    this.#context.logger.error(
      { ...this.job.fields, err: error },
      `could not ${action} the job; it runs again when its lease lapses`,
    );
    this.#news.unsettled(error);
    return { outcome: 'unsettled', error };
  }

  /** Leaves the job as its handler settled it, or as it is where it settled nothing. */
  async keep(end: RunEnd): Promise<void> {
    const state = await this.job.settledState();
    if (end.error !== undefined && !isQueueError(end.error, 'E_LEASE_LOST')) {
      this.#context.logger.warn(
        { ...this.job.fields, err: describeError(end.error) },
        `the handler threw after the job was ${state}, which stands`,
      );
    }
    const thrown = end.error === undefined ? {} : { error: end.error };
    this.#ended({ ...(await this.#asSettled(state, end)), ...thrown });
  }

  async #asSettled(state: JobState, end: RunEnd): Promise<AttemptEnd> {
    if (state === 'deleted' || state === 'deleted-in') {
      this.#news.done();
      return done;
    }
    if (state === 'failed') {
      return this.#failed(this.#failure?.error, this.#failure?.reason ?? 'by-handler');
    }
    if (state === 'released') {
      this.#news.releasedByHandler(this.job.releaseDelayMs ?? 0, end.abortedBy);
      return { outcome: 'released' };
    }
    this.job.close();
    if (state === 'lost' || isQueueError(end.abortedBy, 'E_LEASE_LOST')) return this.#lost();
    this.#news.kept();
    return { outcome: 'kept' };
  }

  #apply(verdict: OtherAction): Promise<boolean> {
    const { settler } = this.#context;
    const { lease } = this;
    switch (verdict.action) {
      case 'release':
        return settler.release(lease, verdict.delayMs, this.#noted(verdict.error, verdict.noted));
      case 'release-thrown':
        return settler.releaseThrown(lease, verdict.delayMs);
      case 'postpone':
        return settler.postpone(lease, verdict.delayMs);
      case 'give-back':
        return settler.giveBack(lease);
      case 'fail':
        return this.#fail(verdict.error, verdict.reason, verdict.noted);
    }
  }

  /** The body with the failure noted in it; undefined where it stays as it is. */
  #noted(error: unknown, asked?: Omit<NotedFailure, 'message'>, counts = true): string | undefined {
    const { wire, logger } = this.#context;
    if (!wire.noteFailure || error === undefined) return undefined;
    const { body, attempts } = this.#reserved;
    const noted = asked ?? { attempts: counts ? attempts : attempts - 1, tries: this.#payload.maxTries ?? 0 };
    try {
      return wire.noteFailure(body, { ...noted, message: describeError(error).message });
    } catch (thrown) {
      logger.warn({ ...this.job.fields, err: thrown }, 'could not note the failure in the body of the job');
      return undefined;
    }
  }

  #fail(error: unknown, reason: FailedReason, noted?: Omit<NotedFailure, 'message'>): Promise<boolean> {
    const { connection, clock, settler } = this.#context;
    this.#failure = { error, reason };
    const name = this.handling.handler || reason === 'unknown-job' ? this.#payload.job : null;
    const about = { connection, name, reason, error, nowMs: clock.now(), pid: this.#pid };
    const counts = reason !== 'by-handler' && reason !== 'unknown-job';
    const body = reason === 'bad-payload' ? undefined : this.#noted(error, noted, counts);
    const record = failureRecord(body === undefined ? this.#reserved : { ...this.#reserved, body }, about);
    return settler.fail(this.lease, record);
  }

  async #settled(verdict: OtherAction): Promise<AttemptEnd> {
    switch (verdict.action) {
      case 'release':
      case 'release-thrown':
      case 'postpone':
        this.#news.released(verdict.delayMs, verdict.error);
        return { outcome: 'released', error: verdict.error };
      case 'give-back':
        this.#news.givenBack();
        return { outcome: 'given-back' };
      case 'fail':
        return this.#failed(verdict.error, verdict.reason);
    }
  }

  async #failed(error: unknown, reason: FailedReason): Promise<AttemptEnd> {
    this.#news.givenUp(error);
    await callHooks(this.job, this.handling, { error, reason }, this.#context);
    this.#news.failed(error, reason);
    return { outcome: 'failed', error };
  }

  #lost(): AttemptEnd {
    this.#context.logger.warn(this.job.fields, 'the lease was lost: the job is another worker’s, or gone');
    this.#news.lost();
    return { outcome: 'lost', error: leaseLost(this.job.fields) };
  }
}
