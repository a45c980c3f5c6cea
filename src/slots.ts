import { isLastChanceOf, startAttempt } from './attempt.js';
import type { AttemptContext, AttemptEnd } from './attempt-context.js';
import { Bell } from './bell.js';
import type { Connector } from './connector.js';
import { drain } from './drain.js';
import { QueueError } from './errors.js';
import { giveBack } from './give-back.js';
import type { HeldJob } from './held-job.js';
import { HeldJobs } from './held-jobs.js';
import type { Job } from './job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LoneJobs } from './lone-jobs.js';
import { monotonicMs } from './monotonic.js';
import { mostAhead, Prefetch } from './prefetch.js';
import { Rests } from './rests.js';
import { StartRecords } from './start-records.js';
import { WayBack } from './way-back.js';
import { WorkInHand } from './work-in-hand.js';

/** What a worker's slots are. */
export interface SlotsOptions {
  readonly concurrency: number;
  /** Jobs to hold beyond the free slots at most; undefined: as suits the store. */
  readonly prefetch: number | undefined;
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
  /**
   * Rings when there is room for more jobs, when the last attempt has ended, when a slot is stuck, and when jobs go back
   * that were held in vain: who waits for more then must not take them again.
   */
  readonly bell = new Bell();
  /** Attempts in the slots, and jobs on their way back. */
  readonly work = new WorkInHand();
  readonly #context: AttemptContext;
  readonly #keeper: LeaseKeeper;
  readonly #leaseMs: number;
  readonly #concurrency: number;
  readonly #prefetch: Prefetch;
  readonly #isInProcess: boolean;
  readonly #held: HeldJobs;
  readonly #lone = new LoneJobs();
  readonly #rests: Rests;
  readonly #wayBack = new WayBack((jobs) => giveBack(jobs, this.#context));
  readonly #starts = new StartRecords();
  readonly #onEnd = (held: HeldJob, end: AttemptEnd) => this.#ended(held, end);
  /** The time while a job is given its slot, else 0: to read a clock takes longer than the rest of a step. */
  #startingMs = 0;
  #taken = 0;
  /** Calls that give jobs back and are under way. */
  #goingBack = 0;
  #draining = false;

  constructor(
    connector: Connector,
    leaseMs: number,
    { concurrency, prefetch, restMs }: SlotsOptions,
    context: Omit<AttemptContext, 'onStart' | 'onDone' | 'onSettled' | 'starts'>,
  ) {
    this.#leaseMs = leaseMs;
    this.#concurrency = concurrency;
    this.#rests = new Rests(restMs, () => this.bell.ring());
    // What cannot be given back with its attempt unspent must not be taken before it can run.
    const most = connector.unreserve ? (prefetch ?? connector.prefetch ?? mostAhead) : 0;
    this.#prefetch = new Prefetch(most, concurrency);
    this.#isInProcess = connector.isInProcess === true;
    this.#held = new HeldJobs(
      (jobs) => void this.giveBack(jobs),
      () => {
        this.#prefetch.heldInVain();
        this.bell.ring();
      },
    );
    this.#keeper = new LeaseKeeper(connector, leaseMs, context.logger, (held) => this.#onLost(held));
    this.#context = {
      ...context,
      starts: this.#starts,
      onStart: (held, job, timeoutMs) => this.#onStart(held, job, timeoutMs),
      onDone: (held) => {
        held.watch?.done();
        this.work.ran(held);
        this.#free(held);
      },
      onSettled: (held) => this.#keeper.remove(held),
    };
  }

  /**
   * How many more jobs to reserve: for free slots, and as many beyond them as suits. None while jobs are on their way
   * back, which those behind them would overtake.
   */
  get room(): number {
    if (this.#lone.inTheWay || this.#goingBack > 0) return 0;
    const free = this.#freeSlots;
    const { ahead } = this.#prefetch;
    const held = this.#held.size;
    const isEnough = this.#isInProcess || held > ahead / 2;
    return free === 0 && isEnough ? 0 : Math.max(0, free + ahead - held);
  }

  /** Jobs that wait for a slot. */
  get held(): number {
    return this.#held.size + this.#lone.size;
  }

  /**
   * Whether a reserve has nothing to wait for: there are jobs to run meanwhile, or no handler that could end. Of a store in
   * this process so many quick jobs are asked for that those of this turn make no difference.
   */
  get sendsAtOnce(): boolean {
    if (this.held > 0 || this.#taken === 0) return true;
    return this.#isInProcess && this.#prefetch.ahead > 0;
  }

  keepLeases(): void {
    this.#keeper.start();
  }

  /** A reserve is under way, until `reserved` is called. */
  reserving(): void {
    this.#wayBack.reserving();
  }

  /** Takes what a reserve has brought, none where it failed. Answers true where all of it goes back, with what came before. */
  reserved(jobs: readonly HeldJob[]): boolean {
    return this.#wayBack.reserved(jobs);
  }

  /** Runs jobs as slots become free for them. */
  offer(jobs: readonly HeldJob[]): void {
    const isLone = (job: HeldJob) => this.#mustRunAlone(job);
    if (jobs.some(isLone)) this.#offerAlone(jobs.filter(isLone), jobs);
    else this.#startOrHold(jobs);
  }

  #mustRunAlone({ watch, reserved }: HeldJob): boolean {
    return watch?.mustRunAlone || isLastChanceOf(reserved, this.#context);
  }

  #offerAlone(lone: readonly HeldJob[], jobs: readonly HeldJob[]): void {
    const others = jobs.filter((job) => !lone.includes(job));
    this.giveBackHeld();
    if (others.length > 0) void this.giveBack(others);
    for (const job of lone) this.#keeper.add(job);
    this.#lone.add(lone);
    this.#startLone();
  }

  #startOrHold(jobs: readonly HeldJob[]): void {
    this.#prefetch.brought(jobs);
    const free = Math.max(0, this.#freeSlots);
    const now = monotonicMs();
    for (const job of jobs.slice(0, free)) this.#start(job, now);
    if (jobs.length > free) this.#held.add(jobs.slice(free));
  }

  /** Returns jobs that were not started. Where that fails, their leases lapse. Never rejects. */
  async giveBack(jobs: readonly HeldJob[]): Promise<void> {
    this.work.begin(); // a stopping worker waits for it
    this.#goingBack += 1;
    for (const job of jobs) this.#keeper.remove(job);
    await this.#wayBack.take(jobs);
    this.#goingBack -= 1;
    this.#end();
    if (this.room > 0) this.bell.ring();
  }

  /** Returns the jobs that wait for a slot. */
  giveBackHeld(): void {
    this.#held.giveBackAll();
    const lone = this.#lone.takeAll();
    if (lone.length > 0) void this.giveBack(lone);
  }

  #start(held: HeldJob, nowMs: number): void {
    this.work.start();
    this.#taken += 1;
    held.isInSlot = true;
    held.sinceMs = nowMs;
    this.#startingMs = nowMs;
    startAttempt(held, this.#context, this.#onEnd);
    this.#startingMs = 0;
  }

  #ended(held: HeldJob, end: AttemptEnd): void {
    this.work.settled(held, end);
    if (end.outcome !== 'done' && end.wasStarted) this.#starts.add(held);
    this.#keeper.remove(held);
    if (end.stillRunning !== undefined) void this.#untilEnded(held, end.stillRunning);
    else this.#leave(held);
  }

  /** Neither the job nor its handler is ours any longer. */
  #leave(held: HeldJob): void {
    this.#free(held);
    held.watch?.ended();
    this.#end();
  }

  #end(): void {
    this.work.end();
    if (this.#lone.inTheWay) this.#startLone();
    if (this.work.active === 0 || this.#draining) this.bell.ring();
  }

  #startLone(): void {
    if (this.work.isBusy || this.work.stuck >= this.#concurrency) return;
    const next = this.#lone.next();
    if (next) this.#start(next, monotonicMs());
    else this.bell.ring();
  }

  #leaveLone(held: HeldJob): void {
    held.watch?.ended();
    this.#startLone();
  }

  /** Lets the next job into the slot of this one. */
  #free(held: HeldJob): void {
    if (!held.isInSlot) return; // free already
    held.isInSlot = false;
    this.#taken -= 1;
    const now = monotonicMs();
    this.#prefetch.ran(now - held.sinceMs);
    if (this.#rests.areTaken && !this.#draining) {
      this.#rests.start();
      return;
    }
    const next = this.#held.take();
    if (next && now - next.confirmedMs < this.#leaseMs / 3) this.#start(next, now);
    else if (next) {
      this.#held.giveBackAll(next); // the event loop was blocked for long: too little of the lease is left
    }
    if (this.room > 0) this.bell.ring();
  }

  get #freeSlots(): number {
    return this.#concurrency - this.#taken - this.#rests.size;
  }

  async #untilEnded(held: HeldJob, handler: NonNullable<AttemptEnd['stillRunning']>): Promise<void> {
    const { id, queue, watch } = held;
    watch?.settled();
    this.#context.logger.error(
      { id, queue },
      'a handler goes on in spite of its abort; its slot stays taken until it ends',
    );
    const unstuck = this.work.untilUnstuck(handler);
    // One that runs alone and never ends must not keep all others waiting for it.
    if (this.#lone.inTheWay) this.#startLone();
    this.bell.ring();
    await unstuck;
    this.#leave(held);
  }

  #onStart(held: HeldJob, job: Job, timeoutMs: number): Promise<void> | undefined {
    held.job = job;
    this.work.run(held);
    held.watch?.started(job.name, timeoutMs, this.#lone.inTheWay, this.#startingMs || monotonicMs());
    this.#keeper.add(held);
    // A job that may outlive the lease gets a longer one first: extending is no help while it blocks the
    // event loop.
    const neededMs = timeoutMs === 0 ? 0 : timeoutMs + this.#context.defaults.graceMs;
    if (neededMs < this.#leaseMs) return undefined;
    return this.#keeper.lengthen(held, neededMs + this.#leaseMs / 3);
  }

  #onLost(held: HeldJob): void {
    const { job } = held;
    if (job) job.abort(new QueueError('E_LEASE_LOST', `the lease of job ${job.name} (${job.id}) was lost`));
    else if (this.#lone.drop(held)) this.#leaveLone(held);
  }

  /**
   * Lets running jobs end; once the worker is hurried, aborts them after `patienceMs`, so that they are given back.
   * Resolves when all have been settled, though handlers may go on.
   */
  async drain(patienceMs: number, isHurried: () => boolean): Promise<void> {
    const { defaults, logger, settler } = this.#context;
    this.#draining = true;
    this.#rests.end();
    const { bell, work } = this;
    const { graceMs } = defaults;
    await drain({ work, bell, isHurried, patienceMs, graceMs, logger, giveUp: () => settler.giveUp() });
    this.#keeper.stop();
  }
}
