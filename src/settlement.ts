import type { AttemptContext, AttemptEnd, OnAttemptEnd } from './attempt-context.js';
import { AttemptNews } from './attempt-news.js';
import type { Lease, ReservedJob } from './connector.js';
import { DoneJob, done, withRun } from './done-job.js';
import { describeError } from './error-text.js';
import { isQueueError, type QueueError } from './errors.js';
import { callHooks } from './failed-hook.js';
import type { FailedReason } from './failed-jobs.js';
import { bodyNoting, failureRecord, type Noted } from './failure-record.js';
import type { FireEnd } from './fire.js';
import { Handling } from './handling.js';
import type { HeldJob } from './held-job.js';
import { Job } from './job.js';
import type { JobState, JobVerbs } from './job-verbs.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import type { Action, RunEnd } from './retry-policy.js';

/** Those that are less frequent, and may take a promise each. */
type OtherAction = Exclude<Action, { readonly action: 'delete' }>;

/** One attempt's job, and the effects that its handler's verbs and the attempt's verdict have. */
export class Settlement implements JobVerbs {
  readonly job: Job;
  readonly handling: Handling;
  readonly #held: HeldJob;
  readonly #reserved: ReservedJob;
  readonly #payload: Payload;
  readonly #context: AttemptContext;
  readonly #pid: number | undefined;
  readonly #news: AttemptNews;
  readonly #onEnd: OnAttemptEnd;
  #run: FireEnd | undefined;
  #failure: { error: unknown; reason: FailedReason } | undefined;

  /**
   * @param handler undefined where the job cannot run.
   * @param onEnd told once, of what `settle` or `keep` led to.
   * @param pid of the process that ran the job, where that was not this one.
   */
  constructor(
    held: HeldJob,
    payload: Payload,
    handler: Handler | undefined,
    context: AttemptContext,
    onEnd: OnAttemptEnd,
    pid?: number,
  ) {
    const { reserved } = held;
    this.#pid = pid;
    this.#held = held;
    this.#reserved = reserved;
    this.#payload = payload;
    this.#context = context;
    this.#onEnd = onEnd;
    this.job = new Job(reserved, payload, context.connection, this);
    this.#news = new AttemptNews(held, payload, context);
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

  /** Says how the run of the handler ended. That it threw is told, where it did: not of data that it never saw, nor of what an abort led to. */
  ran(end: FireEnd): void {
    this.#run = end;
    if (end.returned || end.abortedBy !== undefined || this.handling.isRefused) return;
    this.#news.threw(end.error);
  }

  async #whenSettled(verb: Promise<boolean>): Promise<boolean> {
    const held = await verb;
    if (held) this.#context.onSettled?.(this.#held);
    return held;
  }

  /** Carries out a verdict. Where the store refuses, the job stays reserved until its lease lapses. */
  settle(verdict: Action): void {
    this.job.close();
    if (verdict.action === 'delete') {
      const job = new DoneJob(this.#held, this.#news, this.#context, this.#onEnd, this.#run);
      this.#context.settler.deleteWithNext(job);
    } else void this.#settle(verdict);
  }

  #ended(end: AttemptEnd): void {
    this.#onEnd(this.#held, withRun(end, this.#run));
  }

  async #settle(verdict: OtherAction): Promise<void> {
    let held: boolean;
    try {
      held = await this.#whenSettled(this.#apply(verdict));
    } catch (error) {
      this.#ended(this.#news.unsettled(verdict.action, error));
      return;
    }
    this.#ended(held ? await this.#settled(verdict) : this.#news.lost());
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
    if (state === 'lost' || isQueueError(end.abortedBy, 'E_LEASE_LOST')) return this.#news.lost();
    this.#news.kept();
    return { outcome: 'kept' };
  }

  #apply(verdict: OtherAction): Promise<boolean> {
    const { settler } = this.#context;
    const { lease } = this;
    switch (verdict.action) {
      case 'release':
        return settler.release(lease, verdict.delayMs, this.#bodyNoting(verdict.error, verdict.noted));
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

  #fail(error: unknown, reason: FailedReason, noted?: Noted): Promise<boolean> {
    const { connection, clock, settler } = this.#context;
    this.#failure = { error, reason };
    const name = this.handling.handler || reason === 'unknown-job' ? this.#payload.job : null;
    const about = { connection, name, reason, error, nowMs: clock.now(), pid: this.#pid };
    const counts = reason !== 'by-handler' && reason !== 'unknown-job';
    const body = reason === 'bad-payload' ? undefined : this.#bodyNoting(error, noted, counts);
    const record = failureRecord(body === undefined ? this.#reserved : { ...this.#reserved, body }, about);
    return settler.fail(this.lease, record);
  }

  #bodyNoting(error: unknown, asked?: Noted, counts = true): string | undefined {
    const { attempts } = this.#reserved;
    const noted = asked ?? { attempts: counts ? attempts : attempts - 1, tries: this.#payload.maxTries ?? 0 };
    return bodyNoting(this.#reserved.body, error, noted, this.job.fields, this.#context);
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
}
