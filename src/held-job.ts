import type { Lease, ReservedJob } from './connector.js';
import type { Job } from './job.js';
import type { JobWatch } from './worker-watch.js';

/**
 * A job that this process holds, from its reserve until it is settled and its handler has ended, or until it was given
 * back. What a worker has to remember of a job stands here, so that nothing is looked up on the way.
 */
export class HeldJob implements Pick<ReservedJob, 'id' | 'queue' | 'attempts' | 'lease'> {
  readonly id: string;
  readonly queue: string;
  readonly attempts: number;
  readonly lease: Lease;
  #reserved: ReservedJob | undefined;
  /** Told of each step, where somebody watches. */
  readonly watch: JobWatch | undefined;
  /** The job as its handler sees it, from its start until its handler has ended well. */
  job: Job | undefined;
  /** When it came to wait for a slot; once it was given one, when its attempt began. On the monotonic clock. */
  sinceMs: number;
  isInSlot = false;
  /** When the lease was asked for that the store confirmed last, by the reserve or an extension, on the monotonic clock. */
  confirmedMs: number;
  /** How long the lease is that the store confirmed last. */
  heldMs = 0;
  /** How far each extension moves the end of the lease. */
  extendByMs = 0;
  /** Its place among the leases that are kept. */
  keptPlace = -1;
  /** Its place among the jobs whose handlers run. */
  runningPlace = -1;

  /** @param askedMs when the reserve was called, on the monotonic clock. */
  constructor(reserved: ReservedJob, askedMs: number, watch?: JobWatch) {
    this.id = reserved.id;
    this.queue = reserved.queue;
    this.attempts = reserved.attempts;
    this.lease = reserved.lease;
    this.#reserved = reserved;
    this.sinceMs = askedMs;
    this.confirmedMs = askedMs;
    this.watch = watch;
  }

  /** All that the store answered, until `forgetRest`. */
  get reserved(): ReservedJob {
    if (this.#reserved === undefined)
      throw new TypeError(`of job ${this.id} no more is known than its lease`);
    return this.#reserved;
  }

  /** For a job that is being deleted: nobody reads the rest any more, its body above all, which can be collected. */
  forgetRest(): void {
    this.#reserved = undefined;
  }
}
