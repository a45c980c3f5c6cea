import { type AttemptContext, type AttemptEnd, runAttempt } from './attempt.js';
import { Bell } from './bell.js';
import type { Connector, ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import type { Job } from './job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { startTimer } from './timer.js';

/** How long a stopping worker waits for the answer of a store after the grace. */
const storeAnswersWithinMs = 10_000;

/**
 * The attempts under way in one worker, each in a slot of its own, with their leases kept.
 *
 * A slot stays taken until its handler has really ended, also when the handler was aborted and its job
 * settled without it: else a worker would pile up handlers that cannot be stopped.
 */
export class Slots {
  /** Rings when a slot changes: freed, or stuck. */
  readonly bell = new Bell();
  readonly #context: AttemptContext;
  readonly #keeper: LeaseKeeper;
  readonly #leaseMs: number;
  readonly #confirmedMs = new Map<ReservedJob, number>();
  readonly #running = new Set<Job>();
  #taken = 0;
  #stuck = 0;
  #abandoned = false;

  constructor(connector: Connector, leaseMs: number, context: Omit<AttemptContext, 'onStart' | 'onSettled'>) {
    this.#leaseMs = leaseMs;
    this.#keeper = new LeaseKeeper(connector, leaseMs, context.logger);
    this.#context = {
      ...context,
      onStart: (job, reserved, timeoutMs) => this.#onStart(job, reserved, timeoutMs),
      onSettled: (reserved) => this.#keeper.remove(reserved.lease),
    };
  }

  get taken(): number {
    return this.#taken;
  }

  /** Slots held by handlers that go on in spite of their abort. */
  get stuck(): number {
    return this.#stuck;
  }

  keepLeases(): void {
    this.#keeper.start();
  }

  /**
   * Runs a job in a slot.
   *
   * @param confirmedMs when the reserve was called, on the monotonic clock.
   */
  start(reserved: ReservedJob, confirmedMs: number): void {
    this.#taken += 1;
    this.#confirmedMs.set(reserved, confirmedMs);
    void this.#run(reserved);
  }

  async #run(reserved: ReservedJob): Promise<void> {
    try {
      const end = await runAttempt(reserved, this.#context);
      if (end.job) this.#running.delete(end.job);
      this.#keeper.remove(reserved.lease);
      if (end.stillRunning) await this.#untilEnded(reserved, end.stillRunning);
    } finally {
      this.#keeper.remove(reserved.lease);
      this.#confirmedMs.delete(reserved);
      this.#taken -= 1;
      this.bell.ring();
    }
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
    const confirmedMs = this.#confirmedMs.get(reserved) ?? performance.now();
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
        { jobs: this.#taken },
        'a store never answered; its jobs come back when their leases lapse',
      );
    }
    stopTimer();
    this.#keeper.stop();
  }

  #busy(): boolean {
    return this.#taken > this.#stuck;
  }
}

function stopping(job: Job): QueueError {
  return new QueueError('E_STOPPED', `the worker of job ${job.name} (${job.id}) is stopping`);
}
