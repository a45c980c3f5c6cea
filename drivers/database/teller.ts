import { setTimeout as pause } from 'node:timers/promises';
import type { PushOutcome } from '../../src/index.js';
import type { Change, Dialect, PushedAndTold } from './dialects/dialect.js';
import type { Session } from './session.js';

/** How far apart tellings are, in ms; the first after a quiet time goes at once. */
const shortestGapMs = 5;
/** The distance where nobody waited the last times: whoever begins to wait looks first, and is told so much later. */
const longestGapMs = 40;

/** What a {@link Teller} works with. */
export interface TellerOptions<Connection> {
  readonly session: Session<Connection>;
  /** Told what a telling failed with. Those who wait look within a second all the same. */
  onError(error: unknown): void;
}

/**
 * Tells waiting workers of changes that are committed, beside the work: nobody waits for it. What changes while one
 * telling is under way, or shortly after it, goes with the next.
 */
export class Teller<Connection> {
  readonly #options: TellerOptions<Connection>;
  readonly #untold = new Map<string, Change['jobs']>();
  #isTelling = false;
  #isToldAlong = false;
  #isStopped = false;

  constructor(options: TellerOptions<Connection>) {
    this.#options = options;
  }

  tell({ queue, jobs }: Change): void {
    const before = this.#untold.get(queue) ?? 0;
    const isLater = before === 'later' || jobs === 'later';
    this.#untold.set(queue, isLater ? 'later' : before + jobs);
    if (!this.#isTelling) void this.#tellAll();
  }

  /** True where nothing was told lately, so that the next push may tell of itself. */
  get isQuiet(): boolean {
    return !this.#isTelling && !this.#isToldAlong && !this.#isStopped;
  }

  /** Sees to it that all hear of a push who wait when it is committed: what it told by itself need not be told again. */
  async tellAlong(
    { queue, jobs }: { readonly queue: string; readonly jobs: number },
    push: () => Promise<PushedAndTold>,
  ): Promise<PushOutcome[]> {
    this.#isToldAlong = true;
    try {
      const { outcomes, told } = await push();
      if (told < jobs) this.tell({ queue, jobs: jobs - told });
      else if (!this.#isTelling) void this.#tellAll(shortestGapMs);
      return outcomes;
    } finally {
      this.#isToldAlong = false;
    }
  }

  /** From now on only keeps what it is given. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Tells what is left. */
  async tellLast(connection: Connection, { news }: Dialect<Connection>): Promise<void> {
    if (this.#untold.size > 0) await news.tell?.(connection, this.#take());
  }

  /** @param restMs how long to wait before the first. */
  async #tellAll(restMs = 0): Promise<void> {
    const { session, onError } = this.#options;
    this.#isTelling = true;
    if (restMs > 0) await pause(restMs);
    let gapMs = shortestGapMs;
    while (this.#untold.size > 0 && !this.#isStopped) {
      const changes = this.#take();
      const didWait = await session
        .run((connection, { news }) => news.tell?.(connection, changes))
        .catch(onError);
      gapMs = didWait ? shortestGapMs : Math.min(2 * gapMs, longestGapMs);
      await pause(gapMs);
    }
    this.#isTelling = false;
  }

  #take(): Change[] {
    const changes = [...this.#untold].map(([queue, jobs]): Change => ({ queue, jobs }));
    this.#untold.clear();
    return changes;
  }
}
