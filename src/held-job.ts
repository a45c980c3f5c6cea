import type { ReservedJob } from './connector.js';
import type { Job } from './job.js';
import type { JobWatch } from './worker-watch.js';

/** From how many characters on a body is worth an object without it. */
const longBody = 1024;

/**
 * A job that this process holds, from its reserve until it is settled and its handler has ended, or until it was given
 * back. What a worker has to remember of a job stands here, so that nothing is looked up on the way.
 */
export class HeldJob {
  #reserved: ReservedJob;
  /** When the reserve was called, on the monotonic clock. */
  readonly askedMs: number;
  /** Told of each step, where somebody watches. */
  readonly watch: JobWatch | undefined;
  /** The job as its handler sees it, from its start until its handler has ended well. */
  job: Job | undefined;
  /** When it came to wait for a slot, on the monotonic clock. */
  heldSinceMs: number;
  /** When its attempt began and it was given its slot, on the monotonic clock. */
  startedMs: number;
  isInSlot = false;
  /** When the store last confirmed the lease, on the monotonic clock. */
  confirmedMs: number;
  /** How long the lease is that the store confirmed last. */
  heldMs = 0;
  /** How far each extension moves the end of the lease. */
  extendByMs = 0;
  /** Its place among the leases that are kept. */
  keptPlace = -1;
  /** Its place among the jobs whose handlers run. */
  runningPlace = -1;

  constructor(reserved: ReservedJob, askedMs: number, watch?: JobWatch) {
    this.#reserved = reserved;
    this.askedMs = askedMs;
    this.heldSinceMs = askedMs;
    this.startedMs = askedMs;
    this.confirmedMs = askedMs;
    this.watch = watch;
  }

  get reserved(): ReservedJob {
    return this.#reserved;
  }

  /** For a job that is being deleted: nobody reads its body any more, and a long one can be collected before the store answers. */
  forgetBody(): void {
    if (this.#reserved.body.length >= longBody) this.#reserved = { ...this.#reserved, body: '' };
  }
}
