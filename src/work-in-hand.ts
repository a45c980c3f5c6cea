import type { AttemptEnd } from './attempt-context.js';
import { Bag } from './bag.js';
import { QueueError } from './errors.js';
import type { HeldJob } from './held-job.js';
import type { Job } from './job.js';

/** What a worker has in hand: the attempts under way, their jobs, and how those before them ended. */
export class WorkInHand {
  readonly #running = new Bag<'runningPlace', HeldJob>('runningPlace');
  #started = 0;
  #done = 0;
  #failed = 0;
  #active = 0;
  #stuck = 0;
  #abandoned = false;

  /** The jobs whose handlers run. */
  get jobs(): readonly Job[] {
    return this.#running.items.flatMap(({ job }) => job ?? []);
  }

  /** What has not ended: attempts whose handlers run or whose jobs are being settled, and jobs on their way back. */
  get active(): number {
    return this.#active;
  }

  /** True while something ends that can be waited for: not so a stuck handler. */
  get isBusy(): boolean {
    return this.#active > this.#stuck;
  }

  /** Jobs that were given a slot so far. */
  get started(): number {
    return this.#started;
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

  /** A job was given a slot: its attempt begins. */
  start(): void {
    this.#started += 1;
    this.#active += 1;
  }

  /** Something other than an attempt begins that a stopping worker waits for. */
  begin(): void {
    this.#active += 1;
  }

  /** What began has ended. */
  end(): void {
    this.#active -= 1;
  }

  /** The handler of a job is about to run. */
  run(held: HeldJob): void {
    this.#running.add(held);
    if (this.#abandoned) abort(held);
  }

  /** The handler of a job has ended well: of the job no more is needed than its lease. */
  ran(held: HeldJob): void {
    this.#running.delete(held);
    held.job = undefined;
  }

  /** An attempt was settled, or could not be. */
  settled(held: HeldJob, { outcome }: AttemptEnd): void {
    this.#running.delete(held);
    if (outcome === 'done') this.#done += 1;
    if (outcome === 'failed') this.#failed += 1;
  }

  /** Counts a handler as stuck until it ends. */
  async untilUnstuck(handler: Promise<void>): Promise<void> {
    this.#stuck += 1;
    await handler;
    this.#stuck -= 1;
  }

  /** Aborts the jobs that run, and from now on each that is about to. */
  abandon(): void {
    this.#abandoned = true;
    for (const held of this.#running.items) abort(held);
  }
}

function abort({ job }: HeldJob): void {
  job?.abort(new QueueError('E_STOPPED', `the worker of job ${job.name} (${job.id}) is stopping`));
}
