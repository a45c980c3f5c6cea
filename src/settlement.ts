import type { AttemptContext, AttemptEnd } from './attempt.js';
import { AttemptNews } from './attempt-news.js';
import type { ReservedJob } from './connector.js';
import { describeError } from './error-text.js';
import { isQueueError } from './errors.js';
import { withinLimit } from './failed-hook.js';
import type { FailedReason } from './failed-jobs.js';
import { failureRecord } from './failure-record.js';
import type { HeldJob } from './held-job.js';
import { Job, type JobState, leaseLost } from './job.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import type { Action, RunEnd } from './retry-policy.js';
import { runTracer } from './tracing.js';
import type { NotedFailure } from './wire-format.js';

/** One attempt's job, and the effects that its handler's verbs and the attempt's verdict have. */
export class Settlement {
  readonly job: Job;
  readonly #held: HeldJob;
  readonly #reserved: ReservedJob;
  readonly #payload: Payload;
  readonly #handler: Handler | undefined;
  readonly #context: AttemptContext;
  readonly #pid: number | undefined;
  readonly #news: AttemptNews;
  #data: unknown;
  #checked = false;
  #refusal: { error: unknown } | undefined;
  #failure: { error: unknown; reason: FailedReason } | undefined;

  /**
   * @param handler undefined where the job cannot run.
   * @param pid of the process that ran the job, where that was not this one.
   */
  constructor(
    held: HeldJob,
    payload: Payload,
    handler: Handler | undefined,
    context: AttemptContext,
    pid?: number,
  ) {
    this.#pid = pid;
    const { reserved } = held;
    this.#held = held;
    this.#reserved = reserved;
    this.#payload = payload;
    this.#handler = handler;
    this.#context = context;
    this.#data = payload.data;
    const { lease } = reserved;
    this.job = new Job(reserved, payload, context.connection, {
      delete: () => this.#whenSettled(context.settler.delete(lease)),
      deleteIn: (transaction) => this.#whenSettled(context.deleteIn(transaction, lease)),
      release: (delayMs) => this.#whenSettled(context.settler.release(lease, delayMs)),
      fail: (error) => this.#whenSettled(this.#fail(error, 'by-handler')),
      run: () => this.#run(),
      misused: (error) => context.logger.warn({ ...this.job.fields, err: error }, error.message),
    });
    this.#news = new AttemptNews(this.job, reserved, payload, context);
  }

  /** Checks the data and runs the handler, unless the job was aborted before that. */
  async #run(): Promise<void> {
    const { job } = this;
    if (!this.#handler) return;
    await this.#checkData();
    if (job.abortReason) throw job.abortReason;
    const { watch } = this.#held;
    const handler = this.#handler;
    const news = this.#news;
    news.handlerStarts();
    try {
      const run = () => this.#handle(handler);
      news.handlerReturned(await (watch ? watch.run(run) : run()));
    } finally {
      news.handlerEnded();
    }
  }

  #handle(handler: Handler): unknown {
    const { logger, tracer } = this.#context;
    const trace = runTracer(tracer);
    const run = () => handler.run(this.job, this.#data, logger);
    return trace ? this.#traced(trace, run) : run();
  }

  async #traced(trace: NonNullable<ReturnType<typeof runTracer>>, run: () => unknown): Promise<unknown> {
    const { job } = this;
    let result: unknown;
    await trace({ ...job.fields, trace: this.#payload.trace }, async () => {
      result = await run();
      return job.abortReason;
    });
    return result;
  }

  /** Says that the handler was aborted for its timeout, or was killed for it. */
  tellTimeout(timeoutMs: number): void {
    this.#news.timedOut(timeoutMs);
  }

  /** Says that the handler threw, where it did: not of data that it never saw, nor of what an abort led to. */
  tellException(end: RunEnd): void {
    if (end.returned || end.abortedBy !== undefined || this.#refusal !== undefined) return;
    this.#news.threw(end.error);
  }

  async #checkData(): Promise<void> {
    try {
      this.#data = await this.#handler?.checkData(this.#payload.data);
      this.#checked = true;
    } catch (error) {
      this.#refusal = { error };
      throw error;
    }
  }

  /** The verdict on a run that ended before the handler started, as the job's schema refused the data. */
  refusedData(end: RunEnd): Action | undefined {
    if (this.#refusal === undefined || end.abortedBy) return undefined;
    return { action: 'fail', reason: 'bad-payload', error: this.#refusal.error }; // a retry changes no data
  }

  async #whenSettled(verb: Promise<boolean>): Promise<boolean> {
    const held = await verb;
    if (held) this.#context.onSettled?.(this.#held);
    return held;
  }

  /** Carries out a verdict. Where the store refuses, the job stays reserved until its lease lapses. */
  async settle(verdict: Action): Promise<AttemptEnd> {
    this.job.close();
    try {
      if (!(await this.#whenSettled(this.#apply(verdict)))) return this.#lost();
    } catch (error) {
      this.#context.logger.error(
        { ...this.job.fields, err: error },
        `could not ${verdict.action} the job; it runs again when its lease lapses`,
      );
      this.#news.unsettled(error);
      return { outcome: 'unsettled', error };
    }
    return this.#settled(verdict);
  }

  /** Leaves the job as its handler settled it, or as it is where it settled nothing. */
  async keep(end: RunEnd): Promise<AttemptEnd> {
    const state = await this.job.settledState();
    if (end.error !== undefined && !isQueueError(end.error, 'E_LEASE_LOST')) {
      this.#context.logger.warn(
        { ...this.job.fields, err: describeError(end.error) },
        `the handler threw after the job was ${state}, which stands`,
      );
    }
    const thrown = end.error === undefined ? {} : { error: end.error };
    return { ...(await this.#asSettled(state, end)), ...thrown };
  }

  async #asSettled(state: JobState, end: RunEnd): Promise<AttemptEnd> {
    if (state === 'deleted' || state === 'deleted-in') return this.#settled({ action: 'delete' });
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

  #apply(verdict: Action): Promise<boolean> {
    const { settler } = this.#context;
    const { lease } = this.#reserved;
    switch (verdict.action) {
      case 'delete':
        return settler.delete(lease);
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
    const name = this.#handler || reason === 'unknown-job' ? this.#payload.job : null;
    const about = { connection, name, reason, error, nowMs: clock.now(), pid: this.#pid };
    const counts = reason !== 'by-handler' && reason !== 'unknown-job';
    const body = reason === 'bad-payload' ? undefined : this.#noted(error, noted, counts);
    const record = failureRecord(body === undefined ? this.#reserved : { ...this.#reserved, body }, about);
    return settler.fail(this.#reserved.lease, record);
  }

  async #settled(verdict: Action): Promise<AttemptEnd> {
    switch (verdict.action) {
      case 'delete':
        this.#news.done();
        return { outcome: 'done' };
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
    await this.#callHooks(error, reason);
    this.#news.failed(error, reason);
    return { outcome: 'failed', error };
  }

  /** The job's own hook first, then that of the config. */
  async #callHooks(error: unknown, reason: FailedReason): Promise<void> {
    const { defaults, logger, onFailed, settler } = this.#context;
    const { job } = this;
    const handler = this.#handler;
    const limits = { limitMs: defaults.timeoutMs || 60_000, patience: settler.patience };
    const call = (what: string, hook: (data: unknown) => unknown) =>
      withinLimit(what, async () => hook(await this.#hookData()), job.fields, limits, logger);
    if (handler?.failed) {
      await call('the failed hook of the job', (data) => handler.failed?.(job, data, error));
    }
    if (onFailed) await call('onFailed of the config', (data) => onFailed({ data, error, job, reason }));
  }

  /** The hook gets the data as the handler would; raw where the schema refuses it. */
  async #hookData(): Promise<unknown> {
    if (this.#handler && !this.#checked && this.#refusal === undefined)
      await this.#checkData().catch(() => {});
    return this.#data;
  }

  #lost(): AttemptEnd {
    this.#context.logger.warn(this.job.fields, 'the lease was lost: the job is another worker’s, or gone');
    this.#news.lost();
    return { outcome: 'lost', error: leaseLost(this.job.fields) };
  }
}
