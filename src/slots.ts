import { type AttemptContext, type AttemptEnd, isLastChanceOf, runAttempt } from './attempt.js';
import { Bell } from './bell.js';
import type { Connector, ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import { HeldJobs } from './held-jobs.js';
import type { Job } from './job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LoneJobs } from './lone-jobs.js';
import { Prefetch } from './prefetch.js';
import { StartRecords } from './start-records.js';
import { startTimer } from './timer.js';

/** How long a stopping worker waits for the answer of a store after the grace. */
const storeAnswersWithinMs = 10_000;

/** A job in a slot. */
interface Running {
  /** When the reserve was called, on the monotonic clock. */
  readonly askedMs: number;
  readonly startedMs: number;
}

/** What a worker's slots are. */
export interface SlotsOptions {
  readonly concurrency: number;
  /** Jobs to hold beyond the free slots at most. */
  readonly prefetch: number;
  /** How long a slot stays empty after each job. */
  readonly restMs: number;
}

/**
 * The attempts under way in one worker, each in a slot of its own, with their leases kept, and the jobs that wait
 * for a slot.
 *
 * A slot is free again once its handler has ended well, while its job is still being deleted. Else it stays taken
 * until the job is settled and its handler has really ended, also when the handler was aborted and its job settled
 * without it: a worker must not pile up handlers that cannot be stopped.
 */
export class Slots {
  /** Rings when there is room for more jobs, when the last attempt has ended, and when a slot is stuck. */
  readonly bell = new Bell();
  readonly #context: AttemptContext;
  readonly #keeper: LeaseKeeper;
  readonly #leaseMs: number;
  readonly #concurrency: number;
  readonly #restMs: number;
  readonly #prefetch: Prefetch;
  readonly #held: HeldJobs;
  readonly #lone = new LoneJobs();
  readonly #inSlots = new Map<ReservedJob, Running>();
  readonly #running = new Set<Job>();
  readonly #rests = new Set<() => void>();
  readonly #starts = new StartRecords();
  #started = 0;
  #done = 0;
  #failed = 0;
  #active = 0;
  #stuck = 0;
  #draining = false;
  #abandoned = false;

  constructor(
    connector: Connector,
    leaseMs: number,
    { concurrency, prefetch, restMs }: SlotsOptions,
    context: Omit<AttemptContext, 'onStart' | 'onDone' | 'onSettled' | 'starts'>,
  ) {
    this.#leaseMs = leaseMs;
    this.#concurrency = concurrency;
    this.#restMs = restMs;
    // What cannot be given back with its attempt unspent must not be taken before it can run.
    this.#prefetch = new Prefetch(connector.unreserve ? prefetch : 0, concurrency);
    this.#held = new HeldJobs(
      (jobs) => void this.giveBack(jobs),
      () => this.#prefetch.heldInVain(),
    );
    this.#keeper = new LeaseKeeper(connector, leaseMs, context.logger);
    this.#context = {
      ...context,
      starts: this.#starts,
      onStart: (job, reserved, timeoutMs) => this.#onStart(job, reserved, timeoutMs),
      onDone: (reserved) => {
        context.watch?.done(reserved);
        this.#free(reserved);
      },
      onSettled: (reserved) => this.#keeper.remove(reserved.lease),
    };
  }

  /** How many more jobs to reserve: for free slots, and as many beyond them as suits. */
  get room(): number {
    if (this.#lone.inTheWay) return 0;
    const free = this.#freeSlots;
    const { ahead } = this.#prefetch;
    const held = this.#held.size;
    return free === 0 && held > ahead / 2 ? 0 : Math.max(0, free + ahead - held);
  }

  /** What has not ended: attempts whose handlers run or whose jobs are being settled, and jobs on their way back. */
  get active(): number {
    return this.#active;
  }

  /** Jobs that wait for a slot. */
  get held(): number {
    return this.#held.size + this.#lone.size;
  }

  /** Jobs that were given a slot so far. */
  get started(): number {
    return this.#started;
  }

  /** The jobs whose handlers run. */
  get jobs(): readonly Job[] {
    return [...this.#running];
  }

  /** Jobs that were done so far. */
  get done(): number {
    return this.#done;
  }

  /** Jobs that were given up so far. */
  get failed(): number {
    return this.#failed;
  }

  /** Slots held by handlers that go on in spite of their abort. */
  get stuck(): number {
    return this.#stuck;
  }

  keepLeases(): void {
    this.#keeper.start();
  }

  /**
   * Runs jobs as slots become free for them.
   *
   * @param askedMs when the reserve was called, on the monotonic clock.
   */
  offer(jobs: readonly ReservedJob[], askedMs: number): void {
    const lone = jobs.filter((job) => this.#mustRunAlone(job));
    if (lone.length > 0) this.#offerAlone(lone, jobs, askedMs);
    else this.#startOrHold(jobs, askedMs);
  }

  #mustRunAlone(job: ReservedJob): boolean {
    return this.#context.watch?.mustRunAlone(job) || isLastChanceOf(job, this.#context);
  }

  #offerAlone(lone: readonly ReservedJob[], jobs: readonly ReservedJob[], askedMs: number): void {
    const others = jobs.filter((job) => !lone.includes(job));
    if (others.length > 0) void this.giveBack(others);
    this.giveBackHeld();
    for (const job of lone) this.#keeper.add(job.lease, askedMs, () => this.#dropLone(job));
    this.#lone.add(lone, askedMs);
    this.#startLone();
  }

  #startOrHold(jobs: readonly ReservedJob[], askedMs: number): void {
    const free = Math.max(0, this.#freeSlots);
    for (const job of jobs.slice(0, free)) this.#start(job, askedMs);
    if (jobs.length > free) this.#held.add(jobs.slice(free), askedMs);
  }

  /** Returns jobs that were not started. Where that fails, their leases lapse. Never rejects. */
  async giveBack(jobs: readonly ReservedJob[]): Promise<void> {
    const { logger, settler, watch } = this.#context;
    this.#active += 1; // a stopping worker waits for it
    for (const job of jobs) this.#keeper.remove(job.lease);
    const given = await Promise.allSettled(jobs.map((job) => settler.giveBack(job.lease)));
    for (const one of given) {
      if (one.status === 'rejected') {
        logger.warn({ err: one.reason }, 'could not give a job back; its lease lapses');
      }
    }
    for (const job of jobs) watch?.ended(job);
    this.#end();
  }

  /** Returns the jobs that wait for a slot. */
  giveBackHeld(): void {
    this.#held.giveBackAll();
    const lone = this.#lone.takeAll();
    if (lone.length > 0) void this.giveBack(lone);
  }

  #start(reserved: ReservedJob, askedMs: number): void {
    this.#started += 1;
    this.#active += 1;
    this.#inSlots.set(reserved, { askedMs, startedMs: performance.now() });
    void this.#run(reserved);
  }

  async #run(reserved: ReservedJob): Promise<void> {
    try {
      const end = await runAttempt(reserved, this.#context);
      if (end.job) this.#running.delete(end.job);
      if (end.outcome === 'done') this.#done += 1;
      if (end.outcome === 'failed') this.#failed += 1;
      if (end.outcome !== 'done' && end.job) this.#starts.add(reserved);
      this.#keeper.remove(reserved.lease);
      if (end.stillRunning) {
        this.#context.watch?.settled(reserved);
        await this.#untilEnded(reserved, end.stillRunning);
      }
    } finally {
      this.#keeper.remove(reserved.lease);
      this.#free(reserved);
      this.#context.watch?.ended(reserved);
      this.#end();
    }
  }

  #end(): void {
    this.#active -= 1;
    if (this.#lone.inTheWay) this.#startLone();
    if (this.#active === 0 || this.#draining) this.bell.ring();
  }

  #startLone(): void {
    if (this.#busy()) return;
    const next = this.#lone.next();
    if (next) this.#start(next.reserved, next.askedMs);
    else this.bell.ring();
  }

  #dropLone(reserved: ReservedJob): void {
    this.#lone.drop(reserved);
    this.#context.watch?.ended(reserved);
    this.#startLone();
  }

  /** Lets the next job into the slot of this one. */
  #free(reserved: ReservedJob): void {
    const running = this.#inSlots.get(reserved);
    if (!running) return; // free already
    this.#inSlots.delete(reserved);
    const now = performance.now();
    this.#prefetch.ran(now - running.startedMs);
    if (this.#restMs > 0 && !this.#draining) {
      this.#rest();
      return;
    }
    for (let next = this.#held.take(); next; next = this.#held.take()) {
      if (now - next.askedMs < this.#leaseMs / 3) {
        this.#start(next.reserved, next.askedMs);
        break;
      }
      void this.giveBack([next.reserved]); // the event loop was blocked for long: too little of the lease is left
    }
    if (this.room > 0) this.bell.ring();
  }

  /** The slot counts as taken meanwhile. */
  #rest(): void {
    const stop = startTimer(this.#restMs, () => {
      this.#rests.delete(stop);
      this.bell.ring();
    });
    this.#rests.add(stop);
  }

  get #freeSlots(): number {
    return this.#concurrency - this.#inSlots.size - this.#rests.size;
  }

  async #untilEnded(reserved: ReservedJob, handler: NonNullable<AttemptEnd['stillRunning']>): Promise<void> {
    this.#context.logger.error(
      { id: reserved.id, queue: reserved.queue },
      'a handler goes on in spite of its abort; its slot stays taken until it ends',
    );
    this.#stuck += 1;
    this.bell.ring();
    await handler;
    this.#stuck -= 1;
  }

  #onStart(job: Job, reserved: ReservedJob, timeoutMs: number): Promise<void> | undefined {
    this.#running.add(job);
    if (this.#abandoned) job.abort(stopping(job));
    this.#context.watch?.started(reserved, job.name, timeoutMs);
    const confirmedMs = this.#inSlots.get(reserved)?.askedMs ?? performance.now();
    const onLost = () =>
      job.abort(new QueueError('E_LEASE_LOST', `the lease of job ${job.name} (${job.id}) was lost`));
    this.#keeper.add(reserved.lease, confirmedMs, onLost);
    // A job that may outlive the lease gets a longer one first: extending is no help while it blocks the
    // event loop.
    const neededMs = timeoutMs === 0 ? 0 : timeoutMs + this.#context.defaults.graceMs;
    if (neededMs < this.#leaseMs) return undefined;
    return this.#keeper.lengthen(reserved.lease, neededMs + this.#leaseMs / 3);
  }

  /**
   * Lets running jobs end; after `patienceMs` aborts them, so that they are given back. Resolves when all
   * have been settled, though handlers may go on.
   */
  async drain(patienceMs: number): Promise<void> {
    this.#draining = true;
    for (const stop of this.#rests) stop();
    this.#rests.clear();
    const until = performance.now() + patienceMs;
    for (let leftMs = patienceMs; this.#busy() && leftMs > 0; leftMs = until - performance.now()) {
      await this.bell.wait(leftMs);
    }
    this.#abandoned = true;
    for (const job of this.#running) job.abort(stopping(job));
    // Handlers and settlements have the grace; then a store that is away is waited for no longer.
    const stopTimer = startTimer(this.#context.defaults.graceMs, () => this.#context.settler.giveUp());
    const latest = performance.now() + this.#context.defaults.graceMs + storeAnswersWithinMs;
    while (this.#busy() && performance.now() < latest) await this.bell.wait(latest - performance.now());
    if (this.#busy()) {
      this.#context.logger.error(
        { jobs: this.#active },
        'a store never answered; its jobs come back when their leases lapse',
      );
    }
    stopTimer();
    this.#keeper.stop();
  }

  #busy(): boolean {
    return this.#active > this.#stuck;
  }
}

function stopping(job: Job): QueueError {
  return new QueueError('E_STOPPED', `the worker of job ${job.name} (${job.id}) is stopping`);
}
