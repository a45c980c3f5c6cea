import type { AttemptContext } from './attempt.js';
import type { Connector, ReservedJob } from './connector.js';
import { Controls, type Halt } from './controls.js';
import { isQueueError, QueueError } from './errors.js';
import { defaultHeartbeatMs, Heartbeat } from './heartbeat.js';
import { type LeftJob, settleLeft } from './left-jobs.js';
import type { QueueConfig } from './queue-config.js';
import { Slots } from './slots.js';
import { jobsLeft, type StopReason, stopReason } from './stop-conditions.js';
import { startTimer } from './timer.js';
import { defaultWorkerName, hostOf, type WorkerReport, type WorkerState } from './worker-info.js';
import { WorkerNews } from './worker-news.js';
import type { CheckedWorkerOptions } from './worker-options.js';

/** The first wait between two looks at an idle store that cannot wake the worker; it doubles up to `sleep`. */
const shortestLookMs = 10;
/** How long a worker that does not run for ever goes on trying to reach its store. */
const oneShotPatienceMs = 30_000;

/**
 * Reserves jobs and runs them, `concurrency` at a time, until told to stop. Made by `queue.worker()`; one
 * run each.
 */
export class Worker {
  readonly #connector: Connector;
  readonly #leaseMs: number;
  readonly #options: CheckedWorkerOptions;
  readonly #context: AttemptContext;
  readonly #slots: Slots;
  readonly #news: WorkerNews;
  readonly #controls: Controls;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #haltListeners = new Set<(halt: Halt) => void>();
  #startedAtEpochMs = 0;
  #startedAtMs = 0;
  #looks = 0;
  #stopped: StopReason | undefined;
  #storeAwaySinceMs: number | undefined;
  #paused = false;
  /** Ends the wait for a job that is under way. */
  #waiting: AbortController | undefined;

  /** @internal */
  constructor(
    connector: Connector,
    leaseMs: number,
    options: CheckedWorkerOptions,
    context: AttemptContext,
    maintenance?: QueueConfig['maintenance'],
  ) {
    this.#connector = connector;
    this.#leaseMs = leaseMs;
    this.#options = options;
    this.#context = context;
    this.#news = new WorkerNews(context.events, context.connection, options);
    const { concurrency, queues, restMs, heartbeatMs, force } = options;
    // Jobs held of a later queue would run before those that come to an earlier one meanwhile.
    const prefetch = queues.length > 1 || restMs > 0 ? 0 : options.prefetch;
    this.#slots = new Slots(connector, leaseMs, { concurrency, prefetch, restMs }, context);
    const { logger } = context;
    this.#controls = new Controls({
      queues,
      signals: connector.signals,
      maintenance: force ? undefined : maintenance,
      logger,
      onRestart: () => this.#stop('restart'),
      onHalt: () => this.#onHalt(),
    });
    const registry = connector.workers;
    const everyMs = heartbeatMs ?? registry?.everyMs ?? defaultHeartbeatMs;
    if (registry && everyMs > 0) {
      this.#heartbeat = new Heartbeat({ registry, everyMs, describe: () => this.#report(), logger });
    }
  }

  /** What it is called in logs and lists. */
  get name(): string {
    return this.#options.name ?? defaultWorkerName();
  }

  /** Why it takes no jobs of some of its queues, as far as it knows. */
  get halt(): Halt {
    return this.#controls.halt;
  }

  /** Calls `listener` whenever `halt` has changed; the function returned takes it off again. */
  onHalt(listener: (halt: Halt) => void): () => void {
    this.#haltListeners.add(listener);
    return () => this.#haltListeners.delete(listener);
  }

  /**
   * Works until a stop condition holds or the signal aborts, then lets running jobs end (for at most
   * `shutdownTimeout`, after which their signals abort and they are given back) and answers why it stopped.
   *
   * A store that cannot be reached is tried again for as long as the worker runs.
   *
   * @throws QueueError for what trying again does not mend (a missing table, a corrupt file), and
   * `E_STORE_UNAVAILABLE` when `once` or `stopWhenEmpty` cannot reach the store for 30 s.
   */
  async run(signal?: AbortSignal): Promise<StopReason> {
    if (this.#startedAtMs > 0) throw new QueueError('E_USAGE', 'a worker runs once: make another one');
    const onAbort = () => this.#stop('signal');
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#startedAtMs = performance.now();
    this.#news.started();
    this.#startedAtEpochMs = Date.now();
    const { maxTimeMs, once } = this.#options;
    const stopTimer = maxTimeMs > 0 ? startTimer(maxTimeMs, () => this.#stop('max-time')) : () => {};
    await this.#controls.start(!once);
    this.#heartbeat?.start();
    this.#slots.keepLeases();
    try {
      await this.#work();
    } catch (error) {
      this.#news.broken(error);
      throw error;
    } finally {
      await this.#slots.drain(this.#options.shutdownTimeoutMs);
      stopTimer();
      this.#controls.end();
      await this.#heartbeat?.end();
      await this.#context.statistics?.flush();
      signal?.removeEventListener('abort', onAbort);
      this.#news.stopped(this.#stopped);
    }
    return this.#stopped as StopReason;
  }

  /** Reserves no more jobs until `resume`; running ones go on, held ones are given back. */
  pause(): void {
    this.#paused = true;
    this.#news.paused();
    this.#waiting?.abort();
    this.#slots.giveBackHeld();
    this.#heartbeat?.now();
  }

  /** Reserves jobs again after a `pause`. */
  resume(): void {
    this.#paused = false;
    this.#news.resumed();
    this.#slots.bell.ring();
    this.#heartbeat?.now();
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
      const askedMs = performance.now();
      this.#looks += 1;
      const jobs = isNothingDue ? [] : await this.#reserve(room);
      isNothingDue = false;
      if (jobs === undefined) continue;
      this.#context.watch?.reserved(jobs);
      if (jobs.length > 0) this.#news.busy();
      const { kept, unwanted } = this.#sort(jobs);
      if (unwanted.length > 0) void this.#slots.giveBack(unwanted);
      if (kept.length > 0) this.#slots.offer(kept, askedMs);
      if (this.#stopped) return;
      emptyLooks = jobs.length > 0 ? 0 : emptyLooks + 1;
      if (jobs.length === 0) isNothingDue = await this.#idle(emptyLooks);
    }
  }

  #mayGoOn(): boolean {
    const { memoryMiB, concurrency } = this.#options;
    const reason = stopReason(this.#options, {
      started: this.#slots.started,
      looks: this.#looks,
      runningMs: performance.now() - this.#startedAtMs,
      rssMiB: memoryMiB > 0 ? process.memoryUsage.rss() / 1_048_576 : 0,
      stuck: this.#slots.stuck,
      concurrency,
    });
    if (reason) this.#stop(reason);
    return this.#stopped === undefined;
  }

  /** Parts the jobs to run from those that the worker was told meanwhile not to take. */
  #sort(jobs: readonly ReservedJob[]): { kept: readonly ReservedJob[]; unwanted: readonly ReservedJob[] } {
    if (!this.#connector.unreserve) return { kept: jobs, unwanted: [] }; // giving back would spend an attempt
    if (this.#stopped || this.#paused) return { kept: [], unwanted: jobs };
    const { open } = this.#controls;
    const isOpen = ({ queue }: ReservedJob) => open.includes(queue);
    return { kept: jobs.filter(isOpen), unwanted: jobs.filter((job) => !isOpen(job)) };
  }

  /** A worker that does not wait for jobs does not wait for the end of a pause either. */
  #isDoneWithOpenQueues(): boolean {
    const { once, stopWhenEmpty } = this.#options;
    return (once || stopWhenEmpty) && this.#controls.open.length === 0 && this.#slots.active === 0;
  }

  #room(): number {
    if (this.#paused || this.#controls.open.length === 0) return 0;
    const { started, held, room } = this.#slots;
    return Math.min(room, jobsLeft(this.#options, started + held));
  }

  /** Answers undefined when the store could not be reached; the wait is over then. */
  async #reserve(limit: number): Promise<ReservedJob[] | undefined> {
    try {
      const { settler } = this.#context;
      const jobs = await settler.reserve(this.#controls.open, limit, this.#leaseMs);
      this.#storeAwaySinceMs = undefined;
      return jobs;
    } catch (error) {
      await this.#afterStoreError(error);
      return undefined;
    }
  }

  /** Waits for work, or stops when there is none left to wait for. Answers true where nothing is due at this moment. */
  async #idle(emptyLooks: number): Promise<boolean> {
    const { once, stopWhenEmpty, sleepMs } = this.#options;
    if (this.#slots.active > 0 || !(once || stopWhenEmpty)) return this.#waitForJob(emptyLooks, sleepMs);
    if (once) this.#stop('empty');
    else await this.#stopUnlessDueSoon(sleepMs);
    return false;
  }

  async #stopUnlessDueSoon(waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    try {
      for (let looks = 1; !this.#stopped; looks++) {
        const sizes = await Promise.all(this.#controls.open.map((queue) => this.#connector.size(queue)));
        if (sizes.some((size) => size.ready > 0)) {
          // Others may be taking what is ready: not a reason to ask without end.
          return this.#slots.bell.wait(shortestLookMs);
        }
        const leftMs = until - performance.now();
        if (leftMs <= 0 || sizes.every((size) => size.delayed === 0)) return this.#stop('empty');
        await this.#waitForJob(looks, leftMs);
      }
    } catch (error) {
      await this.#afterStoreError(error);
    }
  }

  /** Answers true where nothing is due at this moment, as far as the store says so. */
  async #waitForJob(looks: number, sleepMs: number): Promise<boolean> {
    if (this.#stopped) return false;
    if (this.#slots.active === 0) this.#news.idle();
    const mostMs = Math.max(sleepMs, 1); // a turn of the event loop at least
    if (!this.#connector.waitForJob) {
      await this.#slots.bell.wait(Math.min(shortestLookMs * 2 ** Math.min(looks - 1, 20), mostMs));
      return false;
    }
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#slots.bell.wait().then(() => waiting.abort());
    try {
      const outcome = await this.#connector.waitForJob(this.#controls.open, mostMs, waiting.signal);
      return outcome === 'nothing-due' && !waiting.signal.aborted;
    } catch (error) {
      await this.#afterStoreError(error);
      return false;
    } finally {
      this.#slots.bell.ring(); // lets go of the waiter above
      this.#waiting = undefined;
    }
  }

  async #afterStoreError(error: unknown): Promise<void> {
    if (!isQueueError(error) || !error.transient) throw error;
    this.#storeAwaySinceMs ??= performance.now();
    const awayMs = performance.now() - this.#storeAwaySinceMs;
    const { once, stopWhenEmpty, maxOutageMs } = this.#options;
    if (maxOutageMs > 0 && awayMs >= maxOutageMs) {
      this.#context.logger.error(
        { err: error, awayMs: Math.round(awayMs) },
        'the store was away for too long',
      );
      return this.#stop('outage');
    }
    if ((once || stopWhenEmpty) && awayMs > oneShotPatienceMs) throw error;
    const backoffMs = Math.min(Math.max(100, awayMs), 4000) * (0.8 + 0.4 * Math.random());
    const waitMs = maxOutageMs > 0 ? Math.min(backoffMs, maxOutageMs - awayMs) : backoffMs;
    this.#context.logger.warn({ err: error, waitMs }, 'the store does not answer; trying again');
    if (!this.#stopped) await this.#slots.bell.wait(waitMs);
  }

  #stop(reason: StopReason): void {
    const isFirst = this.#stopped === undefined;
    this.#stopped ??= reason;
    if (isFirst && this.#slots.active > 0) this.#heartbeat?.now();
    this.#waiting?.abort();
    this.#slots.giveBackHeld();
    this.#slots.bell.ring();
  }

  #onHalt(): void {
    this.#waiting?.abort();
    this.#slots.giveBackHeld();
    this.#slots.bell.ring();
    this.#heartbeat?.now();
    for (const listener of this.#haltListeners) listener(this.halt);
  }

  #report(): WorkerReport {
    const { queues, concurrency } = this.#options;
    const { jobs, active, done, failed } = this.#slots;
    return {
      name: this.name,
      ...hostOf(),
      queues,
      concurrency,
      state: this.#state(active),
      running: jobs.length,
      jobs: jobs.map(({ id, name, queue }) => ({ id, name, queue })),
      done,
      failed,
      startedAtMs: this.#startedAtEpochMs,
      rssMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
    };
  }

  #state(active: number): WorkerState {
    if (this.#stopped) return 'stopping';
    if (this.#paused || this.#controls.open.length === 0) return 'paused';
    return active > 0 ? 'working' : 'idle';
  }
}
