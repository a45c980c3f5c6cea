import type { AttemptContext, AttemptEnd } from './attempt.js';
import type { ReservedJob } from './connector.js';
import { endedJob } from './ended-job.js';
import { describeError } from './error-text.js';
import { isQueueError } from './errors.js';
import type { JobEvent } from './events.js';
import { withinLimit } from './failed-hook.js';
import type { FailedReason } from './failed-jobs.js';
import { failureRecord } from './failure-record.js';
import { Job, type JobState, leaseLost } from './job.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import type { Action, RunEnd } from './retry-policy.js';
import type { CountedEnd } from './statistics-keeper.js';
import { runTracer } from './tracing.js';
import type { NotedFailure } from './wire-format.js';

/** One attempt's job, and the effects that its handler's verbs and the attempt's verdict have. */
export class Settlement {
  readonly job: Job;
  readonly #reserved: ReservedJob;
  readonly #payload: Payload;
  readonly #handler: Handler | undefined;
  readonly #context: AttemptContext;
  readonly #pid: number | undefined;
  readonly #startedMs = performance.now();
  /** When the handler was started: by the wall clock, and by the monotonic one. */
  #handlerStarted: { readonly atMs: number; readonly mark: number } | undefined;
  #ranMs: number | undefined;
  /** What the handler returned, where that is kept. */
  #result: unknown;
  #data: unknown;
  #checked = false;
  #refusal: { error: unknown } | undefined;
  #failure: { error: unknown; reason: FailedReason } | undefined;

  /**
   * @param handler undefined where the job cannot run.
   * @param pid of the process that ran the job, where that was not this one.
   */
  constructor(
    reserved: ReservedJob,
    payload: Payload,
    handler: Handler | undefined,
    context: AttemptContext,
    pid?: number,
  ) {
    this.#pid = pid;
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
  }

  /** Checks the data and runs the handler, unless the job was aborted before that. */
  async #run(): Promise<void> {
    const { job } = this;
    if (!this.#handler) return;
    await this.#checkData();
    if (job.abortReason) throw job.abortReason;
    const { clock, events, watch } = this.#context;
    const handler = this.#handler;
    const mark = performance.now();
    this.#handlerStarted = { atMs: clock.now(), mark };
    if (events.isHeard('job:started')) {
      const waitMs = this.#waitedMs;
      events.emit({ event: 'job:started', ...job.fields, ...(waitMs !== undefined && { waitMs }) });
    }
    try {
      const run = () => this.#handle(handler);
      const result = await (watch ? watch.run(this.#reserved, run) : run());
      if (this.#context.history) this.#result = result;
    } finally {
      this.#ranMs = performance.now() - mark;
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

  /** How long the job had been due when its handler started: of its first run only is that known. */
  get #waitedMs(): number | undefined {
    const { dueAt } = this.#payload;
    const started = this.#handlerStarted;
    if (!started || dueAt === undefined || this.#reserved.attempts !== 1) return undefined;
    return Math.max(0, started.atMs - dueAt);
  }

  /** Says that the handler was aborted for its timeout, or was killed for it. */
  tellTimeout(timeoutMs: number): void {
    this.#emit('job:timed-out', () => ({ timeoutMs }));
  }

  /** Says that the handler threw, where it did: not of data that it never saw, nor of what an abort led to. */
  tellException(end: RunEnd): void {
    if (end.returned || end.abortedBy !== undefined || this.#refusal !== undefined) return;
    this.#emit('job:exception', () => ({ error: describeError(end.error) }));
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
    if (held) this.#context.onSettled?.(this.#reserved);
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
      this.#emit('job:unsettled', () => ({ error: describeError(error) }));
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
      this.#count('released', end.abortedBy);
      this.#emit('job:released', () => ({ delayMs: this.job.releaseDelayMs ?? 0 }));
      return { outcome: 'released' };
    }
    this.job.close();
    if (state === 'lost' || isQueueError(end.abortedBy, 'E_LEASE_LOST')) return this.#lost();
    this.#emit('job:kept', nothingMore);
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
        this.#count('done');
        this.#remember('done');
        this.#emit('job:done', nothingMore);
        return { outcome: 'done' };
      case 'release':
      case 'postpone':
        this.#count('released', verdict.error);
        this.#emit('job:released', () => ({ delayMs: verdict.delayMs, error: describeError(verdict.error) }));
        return { outcome: 'released', error: verdict.error };
      case 'give-back':
        this.#emit('job:given-back', nothingMore);
        return { outcome: 'given-back' };
      case 'fail':
        return this.#failed(verdict.error, verdict.reason);
    }
  }

  async #failed(error: unknown, reason: FailedReason): Promise<AttemptEnd> {
    this.#count('failed', error);
    this.#remember('failed');
    await this.#callHooks(error, reason);
    this.#emit('job:failed', () => ({ reason, error: describeError(error) }));
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

  /** @param error what the attempt ended with, where it did not end well. */
  #count(outcome: CountedEnd['outcome'], error?: unknown): void {
    const { statistics } = this.#context;
    if (!statistics) return;
    const started = this.#handlerStarted;
    statistics.ended(this.#reserved.queue, this.#payload.job, {
      outcome,
      timedOut: isQueueError(error, 'E_TIMEOUT'),
      ranMs: started && (this.#ranMs ?? performance.now() - started.mark),
      waitedMs: this.#waitedMs,
    });
  }

  #remember(state: 'done' | 'failed'): void {
    const { history } = this.#context;
    if (!history) return;
    const startedAtMs = this.#handlerStarted?.atMs ?? null;
    history.ended(endedJob(this.#reserved, this.#payload, { state, startedAtMs, result: this.#result }));
  }

  #lost(): AttemptEnd {
    this.#context.logger.warn(this.job.fields, 'the lease was lost: the job is another worker’s, or gone');
    this.#emit('job:lost', nothingMore);
    return { outcome: 'lost', error: leaseLost(this.job.fields) };
  }

  /** Makes the event only where somebody listens. */
  #emit<Name extends LaterEvent['event']>(event: Name, more: () => OwnFields<Name>): void {
    const { events } = this.#context;
    if (!events.isHeard(event)) return;
    const durationMs = Math.round((performance.now() - this.#startedMs) * 1000) / 1000;
    events.emit({ event, ...this.job.fields, durationMs, ...more() } as JobEvent);
  }
}

type LaterEvent = Exclude<JobEvent, { event: 'job:started' }>;

/** The part of an event that is particular to it. */
type OwnFields<Name> = Omit<
  Extract<LaterEvent, { event: Name }>,
  keyof Job['fields'] | 'event' | 'durationMs'
>;

const nothingMore = () => ({});
