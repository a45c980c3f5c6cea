import type { AttemptContext } from './attempt-context.js';
import type { AttemptNews } from './attempt-news.js';
import type { HeldJob } from './held-job.js';
import type { Job } from './job.js';
import type { Payload } from './payload.js';
import type { Handler } from './registry.js';
import type { Action, RunEnd } from './retry-policy.js';
import { runTracer } from './tracing.js';

/** The call of a job's handler: its data checked before, followed by who traces and who watches. */
export class Handling {
  readonly handler: Handler | undefined;
  readonly #held: HeldJob;
  readonly #payload: Payload;
  readonly #context: AttemptContext;
  readonly #news: AttemptNews;
  #data: unknown;
  #checked = false;
  #refusal: { readonly error: unknown } | undefined;

  /** @param handler undefined where the job cannot run. */
  constructor(
    held: HeldJob,
    payload: Payload,
    handler: Handler | undefined,
    context: AttemptContext,
    news: AttemptNews,
  ) {
    this.#held = held;
    this.#payload = payload;
    this.handler = handler;
    this.#context = context;
    this.#news = news;
    this.#data = payload.data;
  }

  /** Checks the data and calls the handler, unless the job was aborted before that. */
  run(job: Job): unknown {
    const { handler } = this;
    if (!handler) return undefined;
    return handler.checkData ? this.#runChecked(job, handler) : this.#call(job, handler);
  }

  async #runChecked(job: Job, handler: Handler): Promise<unknown> {
    await this.#checkData();
    return await this.#call(job, handler);
  }

  #call(job: Job, handler: Handler): unknown {
    if (job.abortReason) throw job.abortReason;
    const { logger, tracer } = this.#context;
    const { watch } = this.#held;
    this.#news.handlerStarts();
    const trace = runTracer(tracer);
    const called = trace ? this.#traced(handler, trace) : handler;
    return watch ? watch.run(called, job, this.#data, logger) : called.run(job, this.#data, logger);
  }

  /** A function by itself: one with functions in it makes room for what they share, whether or not it comes to them. */
  #traced(handler: Handler, trace: NonNullable<ReturnType<typeof runTracer>>): Pick<Handler, 'run'> {
    return {
      run: async (job, data, log) => {
        let result: unknown;
        await trace({ ...job.fields, trace: this.#payload.trace }, async () => {
          result = await handler.run(job, data, log);
          return job.abortReason;
        });
        return result;
      },
    };
  }

  async #checkData(): Promise<void> {
    try {
      this.#data = await this.handler?.checkData?.(this.#payload.data);
      this.#checked = true;
    } catch (error) {
      this.#refusal = { error };
      throw error;
    }
  }

  /** Whether the job's schema refused the data, so that the handler did not run. */
  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  /** The verdict on a run that ended before the handler started, as the job's schema refused the data. */
  verdictOnData(end: RunEnd): Action | undefined {
    if (this.#refusal === undefined || end.abortedBy) return undefined;
    return { action: 'fail', reason: 'bad-payload', error: this.#refusal.error }; // a retry changes no data
  }

  /** The data as the handler would get it, for hooks; raw where the schema refuses it. */
  async dataForHooks(): Promise<unknown> {
    const isOpen = this.handler?.checkData && !this.#checked && this.#refusal === undefined;
    if (isOpen) await this.#checkData().catch(() => {});
    return this.#data;
  }
}
