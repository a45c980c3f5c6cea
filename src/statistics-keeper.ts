import type { Clock } from './clock.js';
import { isQueueError } from './errors.js';
import type { Logger } from './logger.js';
import { randomText } from './random.js';
import type { StatisticsRow, StatisticsStore } from './statistics-store.js';
import { minuteMs, tidy } from './statistics-tidy.js';
import { type PlacedTally, Tallies, Tally } from './tally.js';
import { waitAtMost } from './within.js';

/** The shortest time between two writes. */
const flushMs = 2000;
/** While the store is away the time between two tries doubles up to this. */
const longestPauseMs = 60_000;
/** How long whoever closes or stops waits for the last write. */
const patienceMs = 2000;
/** Rows that one call to the store takes. */
const pageSize = 100;
/** How many minutes are told apart while the store is away. */
const mostMinutes = 60;
/** After so long without a write others may have merged our rows, which must not be written again then. */
const rewriteMs = 60_000;
/** Of so many writes one looks whether there is something to merge or to prune. */
const writesPerTidying = 100;

/** How an attempt ended, as far as statistics go. */
export interface CountedEnd {
  readonly outcome: 'done' | 'failed' | 'released';
  readonly timedOut: boolean;
  /** How long the handler ran; undefined where it was not started. */
  readonly ranMs: number | undefined;
  /** How long the job had been due when its handler started; undefined where that is not known. */
  readonly waitedMs: number | undefined;
}

/** What a keeper works with. */
export interface KeeperOptions {
  readonly store: StatisticsStore;
  readonly connection: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Counts what happens to the jobs of a connection in this process, and writes it to the store now and then. Counting
 * is done in memory and never fails.
 *
 * Each process writes rows of its own, one for each minute, always whole: writing one again after a lost reply counts
 * nothing twice.
 */
export class StatisticsKeeper {
  readonly #options: KeeperOptions;
  #source = newSource();
  /** What was written under this source in the minutes that may still grow. */
  #written = new Tallies();
  #fresh = new Tallies(this.#written);
  #isDirty = false;
  #isOff = false;
  #newestMs = 0;
  /** What was counted last: the next is of the same minute, queue and name more often than not. */
  #last: { readonly queue: string; readonly name: string; readonly tally: Tally } | undefined;
  #writtenAtMs = 0;
  #failures = 0;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#writtenAtMs = options.clock.now();
  }

  /** Jobs were stored. */
  pushed(queue: string, name: string, jobs = 1): void {
    if (this.#isOff) return;
    this.#tally(queue, name).counts.pushed += jobs;
  }

  /** An attempt was settled. */
  ended(queue: string, name: string, { outcome, timedOut, ranMs, waitedMs }: CountedEnd): void {
    if (this.#isOff) return;
    const tally = this.#tally(queue, name);
    tally.counts[outcome] += 1;
    if (timedOut) tally.counts.timedOut += 1;
    if (ranMs !== undefined) tally.run.record(ranMs);
    if (waitedMs !== undefined) tally.wait.record(waitedMs);
  }

  /** Writes what was counted, and waits for it a moment. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await waitAtMost(this.#writeAll(), patienceMs);
  }

  #tally(queue: string, name: string): Tally {
    const nowMs = this.#options.clock.now();
    const startMs = nowMs - (nowMs % minuteMs);
    const last = this.#last;
    if (this.#isDirty && startMs === this.#newestMs && last?.queue === queue && last.name === name)
      return last.tally;
    if (startMs < this.#newestMs) this.#renew(); // the clock was set back: that minute may be in the store already
    this.#newestMs = startMs;
    if (!this.#isDirty) this.#awaitFlush();
    this.#isDirty = true;
    const tally = this.#fresh.get(startMs, queue, name);
    this.#last = { queue, name, tally };
    return tally;
  }

  #awaitFlush(): void {
    const waitMs = Math.min(flushMs * 2 ** this.#failures, longestPauseMs);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#writeAll();
    }, waitMs).unref(); // whoever only pushes may end: `close` writes the rest
  }

  async #writeAll(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (!this.#isDirty) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { store, clock } = this.#options;
    const nowMs = clock.now();
    if (nowMs - this.#writtenAtMs > rewriteMs) this.#renew();
    const source = this.#source;
    const written = this.#written;
    const taken = [...this.#fresh];
    this.#fresh = new Tallies(written);
    this.#last = undefined;
    this.#isDirty = false;
    try {
      while (taken.length > 0) {
        const page = taken.slice(0, pageSize);
        const rows = page.map(([place, tally]): StatisticsRow => {
          const before = written.find(place.startMs, place.queue, place.name);
          const body = new Tally().add(before).add(tally).toText();
          return { level: 'live', source, ...place, body };
        });
        await store.put(rows);
        written.add(page);
        taken.splice(0, page.length);
      }
      this.#writtenAtMs = clock.now();
      this.#failures = 0;
      written.dropBefore(nowMs - (nowMs % minuteMs) - minuteMs);
      if (Math.random() * writesPerTidying < 1) await tidy(store, nowMs);
    } catch (error) {
      this.#keep(error, taken);
    }
  }

  /** Keeps what could not be written for the next try, in fewer pieces the longer that takes. */
  #keep(error: unknown, unwritten: readonly PlacedTally[]): void {
    const { connection, clock, logger } = this.#options;
    if (isQueueError(error, 'E_QUEUE_CLOSED')) return;
    if (isQueueError(error) && !error.transient) {
      this.#isOff = true;
      this.#fresh = new Tallies();
      logger.warn(
        { connection, err: error },
        `no statistics from this process: ${error.fix ?? error.message}`,
      );
      return;
    }
    this.#fresh.add(unwritten);
    this.#last = undefined;
    for (let [oldest, next, ...later] = this.#starts(); later.length > mostMinutes - 2; ) {
      this.#fresh.move(oldest as number, next as number);
      [oldest, next, ...later] = this.#starts();
    }
    this.#failures += 1;
    this.#isDirty = true;
    this.#awaitFlush();
    const nowMs = clock.now();
    if (nowMs - this.#warnedAtMs < longestPauseMs) return;
    this.#warnedAtMs = nowMs;
    logger.warn({ connection, err: error }, 'could not write the statistics; trying again');
  }

  #starts(): number[] {
    return this.#fresh.starts.sort((a, b) => a - b);
  }

  #renew(): void {
    this.#source = newSource();
    this.#written = new Tallies();
  }
}

function newSource(): string {
  return randomText(8);
}
