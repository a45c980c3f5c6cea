import { monotonicMs, type ReservedJob } from '../../src/index.js';

/** How long jobs are kept for who waited for them. A worker asks within the same turn of the event loop, or the next. */
const keptMs = 100;

/** How a reserve was asked for. */
export interface Asked {
  readonly limit: number;
  readonly leaseMs: number;
}

interface Early {
  readonly leaseMs: number;
  /** When their leases began at the earliest, on the monotonic clock. */
  readonly sinceMs: number;
  readonly jobs: Promise<ReservedJob[]>;
  /** On the monotonic clock. */
  keptUntilMs: number;
}

/** What an {@link EarlyReserve} does with the store. */
export interface EarlyReserveOptions {
  reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]>;
  /** Gives jobs back that nobody has asked for, their attempts unspent. */
  giveBack(jobs: readonly ReservedJob[]): Promise<unknown>;
  onError(error: unknown): void;
}

/**
 * Jobs that are reserved for who waits, as that one reserved last, before it asks: by the server at the moment when they
 * come, or else as soon as they are heard of. What is not asked for after all goes back.
 */
export class EarlyReserve {
  readonly #options: EarlyReserveOptions;
  /** What was asked for last, and not brought: by queues. */
  readonly #asked = new Map<string, Asked>();
  readonly #early = new Map<string, Early>();
  /** How many reserves are under way beside: by queues, which stay, as a map that empties makes itself anew each time. */
  readonly #underWay = new Map<string, number>();
  /** One for all, which outlives them: most are asked for at once, and a timer for each would take longer than they do. */
  #timer: NodeJS.Timeout | undefined;
  /** What goes back at present. */
  readonly #returning = new Set<{ readonly queues: ReadonlySet<string>; readonly back: Promise<void> }>();

  constructor(options: EarlyReserveOptions) {
    this.#options = options;
  }

  /** Takes how a reserve went. Only who was told that there is nothing more is likely to ask again. */
  asked(queues: readonly string[], limit: number, leaseMs: number, found: number): void {
    if (limit === 0) return;
    if (found < limit) this.#asked.set(nameOf(queues), { limit, leaseMs });
    else this.#asked.delete(nameOf(queues));
  }

  /** How to reserve for who waits for these queues; undefined where that is not known. */
  wanted(queues: readonly string[]): Asked | undefined {
    return this.#asked.get(nameOf(queues));
  }

  /**
   * Takes jobs that were reserved for who waits for these queues.
   *
   * @param jobs does not reject.
   * @param sinceMs when their leases began at the earliest.
   */
  taken(queues: readonly string[], leaseMs: number, jobs: Promise<ReservedJob[]>, sinceMs: number): void {
    if (this.has(queues)) void jobs.then((all) => this.giveBack(all));
    else this.#keep(queues, leaseMs, jobs, sinceMs);
  }

  /** Keeps what is here for these queues until a reserve has come back, which may bring what comes behind it. */
  async during<T>(queues: readonly string[], reserving: Promise<T>): Promise<T> {
    const name = nameOf(queues);
    this.#underWay.set(name, this.#countUnderWay(name) + 1);
    try {
      return await reserving;
    } finally {
      this.#underWay.set(name, this.#countUnderWay(name) - 1);
    }
  }

  #countUnderWay(name: string): number {
    return this.#underWay.get(name) ?? 0;
  }

  /** Takes that somebody who waits for these queues is about to be woken, as there is a job. */
  heard(queues: readonly string[]): void {
    const asked = this.wanted(queues);
    if (asked === undefined || this.has(queues)) return;
    const { limit, leaseMs } = asked;
    const sinceMs = monotonicMs();
    const jobs = this.#options.reserve(queues, limit, leaseMs);
    jobs.catch(() => undefined); // told to who asks
    this.#keep(queues, leaseMs, jobs, sinceMs);
  }

  /** Whether jobs are here for these queues, or on their way. */
  has(queues: readonly string[]): boolean {
    return this.#early.has(nameOf(queues));
  }

  #keep(queues: readonly string[], leaseMs: number, jobs: Promise<ReservedJob[]>, sinceMs: number): void {
    const name = nameOf(queues);
    this.#asked.delete(name);
    this.#early.set(name, { leaseMs, sinceMs, jobs, keptUntilMs: monotonicMs() + keptMs });
    this.#timer ??= setTimeout(this.#dropOld, keptMs);
  }

  readonly #dropOld = (): void => {
    this.#timer = undefined;
    const now = monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, early] of this.#early) {
      if (this.#countUnderWay(name) > 0) early.keptUntilMs = now + keptMs;
      if (early.keptUntilMs > now) nextMs = Math.min(nextMs, early.keptUntilMs - now);
      else void this.#drop(name);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#timer = setTimeout(this.#dropOld, Math.ceil(nextMs));
  };

  /**
   * What was reserved for these queues already, or undefined where nothing was.
   *
   * @param later what was reserved after it, and comes behind it: that is there even where the first fails.
   */
  take(
    queues: readonly string[],
    limit: number,
    leaseMs: number,
    later?: readonly ReservedJob[],
  ): Promise<ReservedJob[]> | undefined {
    if (limit === 0 || this.#early.size === 0) return undefined;
    const name = nameOf(queues);
    const early = this.#early.get(name);
    if (early === undefined) return undefined;
    if (early.leaseMs !== leaseMs || isOld(early)) {
      void this.#drop(name);
      return undefined;
    }
    this.#early.delete(name);
    if (later === undefined) return this.#upTo(limit, early.jobs);
    // What is wrong the next reserve tells too.
    return this.#upTo(
      limit,
      early.jobs.catch(() => []),
      later,
    );
  }

  /** Gives back what nobody has asked for. */
  async close(): Promise<void> {
    this.#asked.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all([...this.#early.keys()].map((name) => this.#drop(name)));
  }

  async #upTo(
    limit: number,
    early: Promise<ReservedJob[]>,
    later: readonly ReservedJob[] = [],
  ): Promise<ReservedJob[]> {
    const jobs = [...(await early), ...later];
    if (jobs.length <= limit) return jobs;
    void this.giveBack(jobs.slice(limit));
    return jobs.slice(0, limit);
  }

  async #drop(name: string): Promise<void> {
    const early = this.#early.get(name);
    if (early === undefined) return;
    this.#early.delete(name);
    await this.giveBack(await early.jobs.catch(() => []));
  }

  /** Gives jobs back that were reserved in vain. Never rejects. */
  async giveBack(jobs: readonly ReservedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const back = this.#giveBack(jobs);
    const returning = { queues: new Set(jobs.map(({ queue }) => queue)), back };
    this.#returning.add(returning);
    await back;
    this.#returning.delete(returning);
  }

  /**
   * Resolves when what goes back to these queues is there; undefined where nothing does. A script that the server does not
   * know is sent a second time: a reserve right behind the first would be carried out before it, and bring what is younger.
   */
  returned(queues: readonly string[]): Promise<unknown> | undefined {
    if (this.#returning.size === 0) return undefined;
    const concerned = [...this.#returning].filter((one) => queues.some((queue) => one.queues.has(queue)));
    return Promise.all(concerned.map(({ back }) => back));
  }

  async #giveBack(jobs: readonly ReservedJob[]): Promise<void> {
    try {
      await this.#options.giveBack(jobs);
    } catch (error) {
      this.#options.onError(error); // their leases lapse
    }
  }
}

/**
 * Who waits is given jobs as if they were reserved now. What was reserved long ago, while the event loop was blocked, the
 * process stopped or the store slow, does not say how much is left of its lease.
 */
export function isOld({ sinceMs, leaseMs }: Pick<Early, 'sinceMs' | 'leaseMs'>): boolean {
  return monotonicMs() - sinceMs > leaseMs / 3;
}

function nameOf(queues: readonly string[]): string {
  return queues.length === 1 ? (queues[0] as string) : queues.join(' ');
}
