import type { Clock } from './clock.js';
import type { HistoryKept } from './connector.js';
import { isQueueError } from './errors.js';
import { type EndedJob, entryIdFrom, type HistoryStore, mostPruned } from './history-store.js';
import type { Logger } from './logger.js';
import { randomText } from './random.js';
import { waitAtMost } from './within.js';

/** The longest that an end waits to be written. */
const flushMs = 2000;
/** While the store is away the time between two tries doubles up to this. */
const longestPauseMs = 60_000;
/** How long whoever closes or stops waits for the last write. */
const patienceMs = 2000;
/** Ends that one call to the store takes. */
const pageSize = 100;
/** With so many waiting they are written without waiting longer. */
const fullPages = 5 * pageSize;
/** Ends that wait for a store that is away; of more the oldest are dropped. */
const mostWaiting = 10_000;
/** Calls of one round of pruning; the next round goes on. */
const mostPrunes = 20;

/** What a keeper works with. */
export interface HistoryKeeperOptions {
  readonly store: HistoryStore;
  readonly keep: HistoryKept;
  readonly connection: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Collects the jobs of a connection that end in this process and writes them to its history, every two seconds at most,
 * apart from the jobs: no settlement waits for it or fails with it. An end has an id from the start, so that writing it
 * again after a lost reply keeps it once.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  readonly #source = randomText(6);
  #count = 0;
  #waiting: EndedJob[] = [];
  #dropped = 0;
  #failures = 0;
  #isOff = false;
  #stopTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** A job ended for good. Never throws. */
  ended(job: Omit<EndedJob, 'entryId' | 'finishedAtMs'>): void {
    if (this.#isOff) return;
    const finishedAtMs = this.#options.clock.now();
    // Those of one millisecond sort in the order in which they ended.
    this.#count = (this.#count + 1) % 0x10000;
    const place = this.#count.toString(16).padStart(4, '0');
    const entryId = `${entryIdFrom(finishedAtMs)}${place}${this.#source}`;
    this.#waiting.push({ entryId, ...job, finishedAtMs });
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    // A write under way takes this one along; were each end to wait for its turn, all would ask a store that is away.
    const writesNow =
      this.#waiting.length >= fullPages && this.#failures === 0 && this.#writing === undefined;
    if (writesNow) void this.#writeAll();
    else this.#awaitFlush();
  }

  /** Writes what waits, and waits for that a moment. Never rejects. */
  async flush(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    await waitAtMost(this.#writeAll(), patienceMs);
  }

  #awaitFlush(): void {
    if (this.#stopTimer) return;
    const waitMs = Math.min(flushMs * 2 ** this.#failures, longestPauseMs);
    const timer = setTimeout(() => {
      this.#stopTimer = undefined;
      void this.#writeAll();
    }, waitMs).unref();
    this.#stopTimer = () => clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#waiting.length === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    let written = 0;
    try {
      while (this.#waiting.length > 0) {
        const page = this.#waiting.slice(0, pageSize);
        await this.#options.store.add(page);
        const last = page.at(-1)?.entryId;
        // While it was under way some may have been dropped for lack of room.
        this.#waiting.splice(0, this.#waiting.findIndex(({ entryId }) => entryId === last) + 1);
        written += page.length;
      }
      this.#failures = 0;
      this.#tellDropped();
      await this.#prune(written);
    } catch (error) {
      this.#keepTrying(error);
    }
  }

  /**
   * Now and then, the likelier the more was written: of all processes together about one prunes each time that a tenth
   * of what is kept was added. Needs no leader, and goes as well for processes that write once.
   */
  async #prune(written: number): Promise<void> {
    const { store, clock, keep } = this.#options;
    const { count, ageMs } = keep;
    const every = Math.min(100, Math.max(1, Math.floor((count ?? 1000) / 10)));
    if (Math.random() * every >= written) return;
    const bounds = {
      ...(count !== undefined && { count }),
      ...(ageMs !== undefined && { sinceMs: clock.now() - ageMs }),
    };
    for (let calls = 0; calls < mostPrunes; calls++) {
      if ((await store.prune(bounds)) < mostPruned) return;
    }
  }

  #keepTrying(error: unknown): void {
    const { connection, logger } = this.#options;
    if (isQueueError(error, 'E_QUEUE_CLOSED')) return;
    if (isQueueError(error) && !error.transient) {
      this.#isOff = true;
      this.#waiting = [];
      const what = error.fix ?? error.message;
      logger.warn({ connection, err: error }, `no history from this process: ${what}`);
      return;
    }
    if (this.#failures === 0) {
      logger.warn({ connection, err: error }, 'could not write the history; trying again');
    }
    this.#failures += 1;
    if (this.#waiting.length > 0) this.#awaitFlush();
  }

  #tellDropped(): void {
    const { connection, logger } = this.#options;
    if (this.#dropped === 0) return;
    logger.warn(
      { connection, jobs: this.#dropped },
      'jobs that ended while the store was away are not in its history',
    );
    this.#dropped = 0;
  }
}
