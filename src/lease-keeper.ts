import { Bag } from './bag.js';
import type { Connector } from './connector.js';
import type { HeldJob } from './held-job.js';
import type { Logger } from './logger.js';
import { monotonicMs } from './monotonic.js';

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
  readonly #onLost: (held: HeldJob) => void;
  readonly #kept = new Bag<'keptPlace', HeldJob>('keptPlace');
  #timer: NodeJS.Timeout | undefined;
  #nextRoundMs = 0;
  #extending = false;

  /** @param onLost is told of each lease that was lost. */
  constructor(connector: Connector, leaseMs: number, logger: Logger, onLost: (held: HeldJob) => void) {
    this.#connector = connector;
    this.#leaseMs = leaseMs;
    this.#logger = logger;
    this.#onLost = onLost;
  }

  /** Keeps the lease of a job, or goes on keeping it. The reserve has confirmed it. */
  add(held: HeldJob): void {
    if (held.keptPlace !== -1) return;
    held.heldMs = this.#leaseMs;
    held.extendByMs = this.#leaseMs;
    this.#kept.add(held);
  }

  /** Makes a lease longer than the others, now and with each extension. */
  async lengthen(held: HeldJob, leaseMs: number): Promise<void> {
    if (held.keptPlace === -1) return;
    held.extendByMs = leaseMs;
    await this.#extend([held], leaseMs);
  }

  /** Keeps a lease no longer: its job was settled. */
  remove(held: HeldJob): void {
    this.#kept.delete(held);
  }

  start(): void {
    this.#nextRoundMs = monotonicMs() + this.#leaseMs / 3;
    this.#timer = setInterval(() => void this.#look(), Math.min(this.#leaseMs / looksPerLease, 2 ** 31 - 1));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const now = monotonicMs();
    for (const one of [...this.#kept.items]) {
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
  async #extend(kept: readonly HeldJob[], leaseMs: number): Promise<void> {
    const askedMs = monotonicMs();
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

  #lose(held: HeldJob): void {
    // What ended meanwhile was taken off the list: its lease was settled, not lost.
    if (this.#kept.delete(held)) this.#onLost(held);
  }

  #byLength(): Map<number, HeldJob[]> {
    const groups = new Map<number, HeldJob[]>();
    for (const one of this.#kept.items) {
      const group = groups.get(one.extendByMs);
      if (group) group.push(one);
      else groups.set(one.extendByMs, [one]);
    }
    return groups;
  }
}
