import { monotonicMs, type ReservedJob } from '../../src/index.js';
import { isOld } from './early-reserve.js';
import type { NextReserve } from './next-reserve.js';
import { randomDigits } from './random-digits.js';

/** How many characters of payloads come at a time: of less the trip costs more than it saves. */
const partLength = 1_400_000;

/** How long jobs that came wait here to be asked for. A worker that gets through those before asks much sooner. */
const keptMs = 60;

/** For so long one reserve may follow another ahead of who asks: signals and beats go with one that is asked for. */
const longestMs = 500;

/** A reserve that nobody has asked for yet. */
export interface AheadReserve {
  readonly queue: string;
  /** How many jobs it brings at most. */
  readonly most: number;
  /** How many are sent for at a time. */
  readonly part: number;
  readonly leaseMs: number;
  readonly sinceMs: number;
  /** When the reserve went that was asked for, and was the first of them. */
  readonly askedMs: number;
  readonly jobs: Promise<ReservedJob[]>;
  /** Once they are here. */
  timer?: NodeJS.Timeout;
}

/** What {@link ReservesAhead} work with. */
export interface ReservesAheadOptions {
  readonly next: NextReserve;
  /** Gives jobs back that nobody has asked for, their attempts unspent. Never rejects. */
  giveBack(jobs: readonly ReservedJob[]): Promise<void>;
}

/**
 * Reserves of long jobs that are sent before they are asked for, one for a queue: what a worker may hold comes in parts, of
 * which the server makes one while the worker reads another. Nobody gets more than was asked for, and what nobody asks for goes
 * back.
 */
export class ReservesAhead {
  readonly #options: ReservesAheadOptions;
  readonly #ahead = new Map<string, AheadReserve>();
  #isClosed = false;

  constructor(options: ReservesAheadOptions) {
    this.#options = options;
  }

  /** How many of so many jobs to ask for now, as others are sent for ahead: one part is run, one comes, one is made. */
  firstOf(queue: string, limit: number): number {
    const length = this.#options.next.lengthOfMore(queue);
    if (length === 0) return limit;
    const part = Math.max(1, Math.floor(partLength / length));
    return part * 2 <= limit ? part : limit;
  }

  /** Sends for another part, right behind the reserve that was asked for. */
  begin(queue: string, part: number, leaseMs: number): void {
    if (!this.#ahead.has(queue)) this.#send(queue, part, { part, leaseMs, askedMs: monotonicMs() });
  }

  /** The reserve that was sent for a queue, or undefined where there is none that can be taken for one of this moment. */
  take(queue: string, leaseMs: number): AheadReserve | undefined {
    const ahead = this.#ahead.get(queue);
    if (ahead === undefined) return undefined;
    if (ahead.leaseMs !== leaseMs || isOld(ahead)) {
      void this.#drop(queue);
      return undefined;
    }
    this.#forget(ahead);
    return ahead;
  }

  /** Sends for the next part behind one that was taken, by who wants so many jobs beside those. */
  goOn(taken: AheadReserve, limit: number): void {
    const { queue, part, askedMs } = taken;
    const most = Math.min(part, limit);
    const isWorthIt = most >= part / 2 && this.#options.next.lengthOfMore(queue) > 0;
    if (isWorthIt && monotonicMs() - askedMs < longestMs) this.#send(queue, most, taken);
  }

  /** Whether there is nothing that was not asked for. */
  get isEmpty(): boolean {
    return this.#ahead.size === 0;
  }

  /** What came or comes for a queue, for who gives back jobs that are older: it goes with them. */
  async takeBack(queue: string): Promise<readonly ReservedJob[]> {
    const ahead = this.#ahead.get(queue);
    if (ahead === undefined) return [];
    this.#forget(ahead);
    return await ahead.jobs.catch(() => []);
  }

  /** Gives back what nobody has asked for, and sends for no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#ahead.keys()].map((queue) => this.#drop(queue)));
  }

  #send(
    queue: string,
    most: number,
    { part, leaseMs, askedMs }: Pick<AheadReserve, 'part' | 'leaseMs' | 'askedMs'>,
  ): void {
    if (this.#isClosed) return;
    const { next } = this.#options;
    const sinceMs = monotonicMs();
    const jobs = next.reserve([], queue, most, leaseMs, randomDigits()).then((found) => found?.jobs ?? []);
    const ahead: AheadReserve = { queue, most, part, leaseMs, sinceMs, askedMs, jobs };
    this.#ahead.set(queue, ahead);
    const came = (count: number): void => {
      if (this.#ahead.get(queue) !== ahead) return; // somebody waits for it
      if (count === 0) this.#forget(ahead);
      else ahead.timer = setTimeout(() => void this.#drop(queue), keptMs);
    };
    // What is wrong the next reserve tells too.
    jobs.then(
      ({ length }) => came(length),
      () => came(0),
    );
  }

  async #drop(queue: string): Promise<void> {
    await this.#options.giveBack(await this.takeBack(queue));
  }

  #forget({ queue, timer }: AheadReserve): void {
    clearTimeout(timer);
    this.#ahead.delete(queue);
  }
}
