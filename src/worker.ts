import type { AttemptContext } from './attempt-context.js';
import type { Connector, ReservedJob } from './connector.js';
import { Controls, type Halt } from './controls.js';
import { QueueError } from './errors.js';
import { Halts } from './halts.js';
import { HeldJob } from './held-job.js';
import { Intake } from './intake.js';
import type { Job } from './job.js';
import { type LeftJob, settleLeft } from './left-jobs.js';
import { monotonicMs } from './monotonic.js';
import { Outage } from './outage.js';
import { Presence } from './presence.js';
import type { QueueConfig } from './queue-config.js';
import type { RunningWorkers } from './running-workers.js';
import { Slots } from './slots.js';
import { endsAtLeisure, jobsLeft, type StopReason, stopReason } from './stop-conditions.js';
import { thinkFileCache } from './think-file-cache.js';
import { startTimer } from './timer.js';
import { WorkerNews } from './worker-news.js';
import type { CheckedWorkerOptions } from './worker-options.js';
import type { WorkerWatch } from './worker-watch.js';

/**
 * Reserves jobs and runs them, `concurrency` at a time, until told to stop. Made by `queue.worker()`; one
 * run each.
 */
export class Worker {
  readonly #connector: Connector;
  readonly #options: CheckedWorkerOptions;
  readonly #context: AttemptContext;
  readonly #slots: Slots;
  readonly #watch: WorkerWatch | undefined;
  readonly #news: WorkerNews;
  readonly #controls: Controls;
  readonly #intake: Intake;
  readonly #presence: Presence;
  readonly #workers: RunningWorkers;
  readonly #halts: Halts;
  #startedAtMs = 0;
  #looks = 0;
  #stopped: StopReason | undefined;
  /** Whether somebody, or a limit, asked it to end soon. */
  #isHurried = false;

  /** @internal */
  constructor(
    connector: Connector,
    leaseMs: number,
    options: CheckedWorkerOptions,
    context: AttemptContext,
    application: Pick<QueueConfig, 'maintenance' | 'thinkCache'> & { readonly workers: RunningWorkers },
    watch?: WorkerWatch,
  ) {
    this.#watch = watch;
    this.#workers = application.workers;
    this.#connector = connector;
    this.#options = options;
    this.#context = context;
    this.#news = new WorkerNews(context.events, context.connection, options);
    const { concurrency, queues, restMs, force, maxOutageMs, once, stopWhenEmpty } = options;
    // Jobs held of a later queue would run before those that come to an earlier one meanwhile.
    const prefetch = queues.length > 1 || restMs > 0 ? 0 : options.prefetch;
    this.#slots = new Slots(connector, leaseMs, { concurrency, prefetch, restMs }, context);
    const { logger } = context;
    this.#controls = new Controls({
      queues,
      signals: connector.signals,
      restarts: thinkFileCache(application),
      maintenance: force ? undefined : application.maintenance,
      logger,
      onRestart: () => this.#stop('restart'),
      onHalt: () => this.#halts.heard(),
    });
    const onChange = () => this.#onHalt();
    this.#halts = new Halts({ queues, controls: this.#controls, news: this.#news, onChange });
    this.#intake = new Intake({
      connector,
      settler: context.settler,
      leaseMs,
      controls: this.#controls,
      work: this.#slots.work,
      bell: this.#slots.bell,
      news: this.#news,
      onFailed: () => void this.#slots.reserved([]),
      outage: new Outage({ maxOutageMs, isOneShot: once || stopWhenEmpty }, logger),
      isStopping: () => this.isStopping,
      stop: (reason) => this.#stop(reason),
    });
    this.#presence = new Presence({
      registry: connector.workers,
      options,
      work: this.#slots.work,
      logger,
      haltedBy: () => (this.#stopped ? 'stopping' : this.#halts.isTotal ? 'paused' : undefined),
    });
  }

  /** What it is called in logs and lists. */
  get name(): string {
    return this.#presence.name;
  }

  /** True once it takes no more jobs, for whatever reason. */
  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** Why it takes no jobs of some of its queues, as far as it knows. */
  get halt(): Halt {
    return this.#controls.halt;
  }

  /** @internal The jobs whose handlers run. */
  get running(): readonly Job[] {
    return this.#slots.work.jobs;
  }

  /** Calls `listener` whenever `halt` has changed; the function returned takes it off again. */
  onHalt(listener: (halt: Halt) => void): () => void {
    return this.#halts.onHeard(listener);
  }

  /**
   * Works until a stop condition holds, the signal aborts or the queue is closed, then lets running jobs end and answers
   * why it stopped. They have the time that they need after `once`, `maxJobs` and `stopWhenEmpty`; else, and once the
   * signal aborts, at most `shutdownTimeout`, after which their signals abort and they are given back.
   *
   * A store that cannot be reached is tried again for as long as the worker runs.
   *
   * @throws QueueError for what trying again does not mend (a missing table, a corrupt file), and
   * `E_STORE_UNAVAILABLE` when `once` or `stopWhenEmpty` cannot reach the store for 30 s.
   */
  run(signal?: AbortSignal): Promise<StopReason> {
    const run = this.#run(signal);
    this.#workers.add(run, () => this.#stop('signal'));
    return run;
  }

  async #run(signal: AbortSignal | undefined): Promise<StopReason> {
    if (this.#startedAtMs > 0) throw new QueueError('E_USAGE', 'a worker runs once: make another one');
    const onAbort = () => this.#stop('signal');
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#startedAtMs = monotonicMs();
    this.#news.started();
    const { maxTimeMs, once } = this.#options;
    const stopTimer = maxTimeMs > 0 ? startTimer(maxTimeMs, () => this.#stop('max-time')) : () => {};
    await this.#controls.start(!once);
    this.#presence.start();
    this.#slots.keepLeases();
    try {
      await this.#work();
    } catch (error) {
      this.#isHurried = true;
      this.#news.broken(error);
      throw error;
    } finally {
      await this.#slots.drain(this.#options.shutdownTimeoutMs, () => this.#isHurried);
      stopTimer();
      this.#controls.end();
      await this.#presence.end();
      await Promise.all([this.#context.statistics?.flush(), this.#context.history?.flush()]);
      signal?.removeEventListener('abort', onAbort);
      this.#news.stopped(this.#stopped);
    }
    return this.#stopped as StopReason;
  }

  /** Reserves no more jobs until `resume`; running ones go on, held ones are given back. */
  pause(): void {
    this.#halts.pause(true);
  }

  /** Reserves jobs again after a `pause`. */
  resume(): void {
    this.#halts.pause(false);
  }

  /**
   * Settles jobs for a process that died, by the leases that it held.
   *
   * @internal
   */
  async settleLeft(left: readonly LeftJob[]): Promise<void> {
    await Promise.all(left.map((one) => settleLeft(one, this.#context)));
  }

  async #work(): Promise<void> {
    let emptyLooks = 0;
    let isNothingDue = false;
    while (this.#mayGoOn()) {
      const room = this.#room();
      if (room === 0) {
        if (this.#isDoneWithOpenQueues()) return this.#stop('empty');
        await this.#slots.bell.wait();
        continue;
      }
      this.#looks += 1;
      const taken = isNothingDue ? 0 : await this.#take(room);
      isNothingDue = false;
      if (taken === undefined) continue;
      if (this.#stopped) return;
      // What woke it runs before more is asked for; a busy worker asks first, so that the answer is there in time.
      if (taken > 0 && emptyLooks > 0) await this.#context.rounds?.called;
      emptyLooks = taken > 0 ? 0 : emptyLooks + 1;
      if (taken === 0) isNothingDue = await this.#idle(emptyLooks);
    }
  }

  /**
   * Answers how many jobs it took, undefined where the store could not be reached. Not the jobs: a loop would keep the
   * last ones in memory until the next are there.
   */
  async #take(room: number): Promise<number | undefined> {
    const askedMs = monotonicMs();
    this.#slots.reserving();
    const jobs = await this.#intake.reserve(room, this.#slots.sendsAtOnce);
    if (jobs !== undefined) this.#offer(jobs, askedMs);
    return jobs?.length;
  }

  #mayGoOn(): boolean {
    const { memoryMiB, concurrency } = this.#options;
    const reason = stopReason(this.#options, {
      started: this.#slots.work.started,
      looks: this.#looks,
      runningMs: monotonicMs() - this.#startedAtMs,
      rssMiB: memoryMiB > 0 ? process.memoryUsage.rss() / 1_048_576 : 0,
      stuck: this.#slots.work.stuck,
      concurrency,
    });
    if (reason) this.#stop(reason);
    return this.#stopped === undefined;
  }

  #offer(jobs: readonly ReservedJob[], askedMs: number): void {
    if (jobs.length === 0) return void this.#slots.reserved([]);
    const watches = this.#watch?.reserved(jobs, this.#connector.bodiesOf !== undefined);
    this.#news.busy();
    const held = jobs.map((job, index) => new HeldJob(job, askedMs, watches?.[index]));
    if (this.#slots.reserved(held)) return;
    const { kept, unwanted } = this.#sort(held);
    if (unwanted.length > 0) void this.#slots.giveBack(unwanted);
    if (kept.length > 0) this.#slots.offer(kept);
  }

  /** Parts the jobs to run from those that the worker was told meanwhile not to take. */
  #sort(jobs: readonly HeldJob[]): { kept: readonly HeldJob[]; unwanted: readonly HeldJob[] } {
    if (!this.#connector.unreserve) return { kept: jobs, unwanted: [] }; // giving back would spend an attempt
    if (this.#stopped || this.#halts.isPaused) return { kept: [], unwanted: jobs };
    const { open } = this.#controls;
    const isOpen = ({ reserved }: HeldJob) => open.includes(reserved.queue);
    return { kept: jobs.filter(isOpen), unwanted: jobs.filter((job) => !isOpen(job)) };
  }

  /** A worker that does not wait for jobs does not wait for the end of a pause either. */
  #isDoneWithOpenQueues(): boolean {
    const { once, stopWhenEmpty } = this.#options;
    return (once || stopWhenEmpty) && this.#controls.open.length === 0 && this.#slots.work.active === 0;
  }

  #room(): number {
    if (this.#halts.isTotal) return 0;
    const { work, held, room } = this.#slots;
    return Math.min(room, jobsLeft(this.#options, work.started + held));
  }

  /** Waits for work, or stops when there is none left to wait for. Answers true where nothing is due at this moment. */
  async #idle(emptyLooks: number): Promise<boolean> {
    const { once, stopWhenEmpty, sleepMs } = this.#options;
    if (this.#slots.work.active > 0 || !(once || stopWhenEmpty))
      return await this.#intake.wait(emptyLooks, sleepMs);
    if (once) this.#stop('empty');
    else await this.#intake.stopUnlessDueSoon(sleepMs);
    return false;
  }

  #stop(reason: StopReason): void {
    const isFirst = this.#stopped === undefined;
    this.#stopped ??= reason;
    if (!endsAtLeisure(reason)) this.#isHurried = true;
    if (isFirst && this.#slots.work.active > 0) this.#presence.changed();
    this.#intake.endWait();
    this.#slots.giveBackHeld();
    this.#slots.bell.ring();
  }

  #onHalt(): void {
    this.#intake.endWait();
    this.#slots.giveBackHeld();
    this.#slots.bell.ring();
    this.#presence.changed();
  }
}
