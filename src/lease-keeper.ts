import type { Connector, Lease } from './connector.js';
import type { Logger } from './logger.js';

interface Kept {
  readonly lease: Lease;
  readonly leaseMs: number;
  /** When the store last confirmed the lease, on the monotonic clock. */
  confirmedMs: number;
  readonly onLost: () => void;
}

/**
 * Extends the leases of running jobs, every third of the lease, one round trip for all of them.
 *
 * What is authoritative is the store: a lease is lost when it says so. Local time only bounds trust: after
 * two thirds of the lease without an answer the holder is told that the lease is lost, while nobody else
 * can have taken the job yet.
 */
export class LeaseKeeper {
  readonly #connector: Connector;
  readonly #leaseMs: number;
  readonly #logger: Logger;
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | undefined;
  #extending = false;

  constructor(connector: Connector, leaseMs: number, logger: Logger) {
    this.#connector = connector;
    this.#leaseMs = leaseMs;
    this.#logger = logger;
  }

  /**
   * Keeps a lease that was confirmed just now.
   *
   * @param confirmedMs when the call that confirmed it was made, on the monotonic clock.
   * @param leaseMs how far each extension moves its end.
   */
  add(lease: Lease, confirmedMs: number, leaseMs: number, onLost: () => void): void {
    this.#kept.set(lease.token, { lease, leaseMs, confirmedMs, onLost });
  }

  remove(lease: Lease): void {
    this.#kept.delete(lease.token);
  }

  start(): void {
    this.#timer = setInterval(() => void this.extendAll(), this.#leaseMs / 3);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Extends all leases now. Never rejects. */
  async extendAll(): Promise<void> {
    this.#dropUnconfirmed();
    if (this.#extending) return; // the last round is still under way: a second would only queue up behind it
    this.#extending = true;
    try {
      for (const [leaseMs, kept] of this.#byLength()) await this.#extend(kept, leaseMs);
    } finally {
      this.#extending = false;
    }
  }

  async #extend(kept: readonly Kept[], leaseMs: number): Promise<void> {
    const askedMs = performance.now();
    try {
      const held = await this.#connector.extend(
        kept.map((one) => one.lease),
        leaseMs,
      );
      for (const [index, one] of kept.entries()) {
        if (held[index]) one.confirmedMs = askedMs;
        else this.#lose(one);
      }
    } catch (error) {
      this.#logger.warn({ err: error, leases: kept.length }, 'could not extend leases; trying again');
    }
  }

  #dropUnconfirmed(): void {
    const now = performance.now();
    for (const one of this.#kept.values()) {
      if (now - one.confirmedMs >= (one.leaseMs * 2) / 3) this.#lose(one);
    }
  }

  #lose(one: Kept): void {
    // A job that ended meanwhile was taken off the list: its lease was settled, not lost.
    if (this.#kept.delete(one.lease.token)) one.onLost();
  }

  #byLength(): Map<number, Kept[]> {
    const groups = new Map<number, Kept[]>();
    for (const one of this.#kept.values()) {
      const group = groups.get(one.leaseMs);
      if (group) group.push(one);
      else groups.set(one.leaseMs, [one]);
    }
    return groups;
  }
}
