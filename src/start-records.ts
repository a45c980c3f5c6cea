import type { ReservedJob } from './connector.js';

/** What tells a delivery of a job from others. */
type Delivery = Pick<ReservedJob, 'id' | 'queue' | 'attempts'>;

/** Of so many jobs a worker remembers that it ran them. */
const mostRecords = 10_000;

/**
 * The deliveries that this worker has started, of jobs that may come back. Of any other delivery nobody knows whether
 * its handler was ever started: it may have ended with a process, or in a reply that never arrived.
 */
export class StartRecords {
  readonly #attempts = new Map<string, number>();

  add(reserved: Delivery): void {
    const key = keyOf(reserved);
    this.#attempts.delete(key); // to the end of those that are forgotten one day
    this.#attempts.set(key, reserved.attempts);
    const [oldest] = this.#attempts.keys();
    if (this.#attempts.size > mostRecords && oldest !== undefined) this.#attempts.delete(oldest);
  }

  /** True where this worker started the delivery before this one. */
  hasLast(reserved: Delivery): boolean {
    if (reserved.attempts === 1) return false; // there was none
    return this.#attempts.get(keyOf(reserved)) === reserved.attempts - 1;
  }
}

function keyOf({ queue, id }: Delivery): string {
  return `${queue} ${id}`;
}
