import type { Connector, Lease } from './connector.js';
import type { Logger } from './logger.js';

interface Kept {
  readonly lease: Lease;
  /** How far each extension moves the end. */
  readonly leaseMs: number;
  /** How long the lease is that the store confirmed last. */
  heldMs: number;
  /** When the store last confirmed the lease, on the monotonic clock. */
  confirmedMs: number;
  readonly onLost: () => void;
}

/** Looks per lease at what is due: extending every fourth look, and again at the next one when that failed. */
const looksPerLease = 12;

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
  #nextRoundMs = 0;
  #extending = false;

  constructor(connector: Connector, leaseMs: number, logger: Logger) {
    this.#connector = connector;
    this.#leaseMs = leaseMs;
    this.#logger = logger;
  }

  /**
   * Keeps a lease that was confirmed just now, or goes on keeping one for a new holder.
   *
   * @param confirmedMs when the call that confirmed it was made, on the monotonic clock.
   */
  add(lease: Lease, confirmedMs: number, onLost: () => void): void {
    const leaseMs = this.#leaseMs;
    const known = this.#kept.get(lease.token);
    this.#kept.set(
      lease.token,
      known ? { ...known, onLost } : { lease, leaseMs, heldMs: leaseMs, confirmedMs, onLost },
    );
  }

  /** Makes a lease longer than the others, now and with each extension; tells its holder if it was lost. */
  async lengthen(lease: Lease, leaseMs: number): Promise<void> {
    const known = this.#kept.get(lease.token);
    if (!known) return;
    const longer = { ...known, leaseMs };
    this.#kept.set(lease.token, longer);
    await this.#extend([longer], leaseMs);
  }

  /** Keeps a lease no longer: its job was settled. */
  remove(lease: Lease): void {
    this.#kept.delete(lease.token);
  }

  start(): void {
    this.#nextRoundMs = performance.now() + this.#leaseMs / 3;
    this.#timer = setInterval(() => void this.#look(), Math.min(this.#leaseMs / looksPerLease, 2 ** 31 - 1));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const now = performance.now();
    for (const one of this.#kept.values()) {
      if (now - one.confirmedMs >= (one.heldMs * 2) / 3) this.#lose(one);
    }
    // While a round is under way another would only queue up behind it.
    if (this.#extending || now < this.#nextRoundMs) return;
    this.#extending = true;
    this.#nextRoundMs = now + this.#leaseMs / 3;
    try {
      await Promise.all([...this.#byLength()].map(([leaseMs, kept]) => this.#extend(kept, leaseMs)));
    } finally {
      this.#extending = false;
    }
  }

  /** Never rejects: what could not be extended is tried again at the next look. */
  async #extend(kept: readonly Kept[], leaseMs: number): Promise<void> {
    const askedMs = performance.now();
    try {
      const held = await this.#connector.extend(
        kept.map((one) => one.lease),
        leaseMs,
      );
      for (const [index, one] of kept.entries()) {
        if (!held[index]) this.#lose(one);
        one.confirmedMs = askedMs;
        one.heldMs = leaseMs;
      }
    } catch (error) {
      this.#nextRoundMs = 0;
      this.#logger.warn({ err: error, leases: kept.length }, 'could not extend leases; trying again');
    }
  }

  #lose(one: Kept): void {
    // What ended meanwhile was taken off the list: its lease was settled, not lost.
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
