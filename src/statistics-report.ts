import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import type { TimeSummary } from './histogram.js';
import { checkQueueName } from './names.js';
import { checkOptionNames } from './option-names.js';
import { shown } from './shown.js';
import type { StatisticsRow, StatisticsStore } from './statistics-store.js';
import { floor, hourMs, hoursKeptMs, minuteMs, minutesKeptMs } from './statistics-tidy.js';
import { type Counts, Tally } from './tally.js';

/** Which statistics to read. */
export interface StatsOptions {
  /** How far back: a span before now, or a point in time. Default `'1h'`; kept are 14 days. */
  readonly since?: Duration | Date;
  /** Only those of a queue. Default: all queues of the connection. */
  readonly queue?: string | undefined;
  /** Only those of jobs of a wire name. */
  readonly name?: string | undefined;
}

/** What happened in a span of time. */
export interface StatsCounts extends Readonly<Counts> {
  /** How long handlers ran; null where none did. */
  readonly run: TimeSummary | null;
  /** How long jobs were due before their first run began; null where that is not known of any. */
  readonly wait: TimeSummary | null;
}

/** What happened in one minute or hour. */
export interface StatsPoint extends StatsCounts {
  /** When it began, in ms since the epoch. */
  readonly startMs: number;
  readonly spanMs: number;
}

/** What happened to the jobs of one name on one queue. */
export interface JobStats extends StatsCounts {
  readonly queue: string;
  readonly name: string;
  /** The same for each minute or hour in which anything happened, oldest first. */
  readonly points: readonly StatsPoint[];
}

/** What `queue.stats` answers. */
export interface QueueStats {
  readonly connection: string;
  /** When the first span begins, in ms since the epoch: a whole minute or hour. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** How long each point is: a minute for up to two hours, else an hour. */
  readonly spanMs: number;
  readonly total: StatsCounts;
  readonly points: readonly StatsPoint[];
  /** By queue and name, sorted by both. */
  readonly jobs: readonly JobStats[];
}

/** What a report reads and how. */
interface Wish {
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly queue: string | undefined;
  readonly name: string | undefined;
}

/**
 * Checks the options of `queue.stats`.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION`, `E_QUEUE_NAME`.
 */
export function checkStatsOptions(options: StatsOptions, nowMs: number): Wish {
  checkOptionNames(options, ['since', 'queue', 'name'], 'stats');
  const { since = '1h', queue, name } = options;
  if (name !== undefined && typeof name !== 'string') {
    throw new QueueError('E_CONFIG', `stats: ${shown(name)} is not the name of a job`);
  }
  const sinceMs = since instanceof Date ? since.getTime() : nowMs - durationToMs(since, 'since');
  if (Number.isNaN(sinceMs)) throw new QueueError('E_DURATION', 'since is not a valid Date');
  return { sinceMs, nowMs, queue: queue === undefined ? undefined : checkQueueName(queue), name };
}

/** Reads a span of time from the store, an hour or a day in one go, and adds up what all processes wrote. */
export async function readStats(
  store: StatisticsStore,
  connection: string,
  { sinceMs, nowMs, queue, name }: Wish,
): Promise<QueueStats> {
  // Minutes are kept until the hour is over whose end is so long ago.
  const spanMs = nowMs - sinceMs <= minutesKeptMs ? minuteMs : hourMs;
  const fromMs = floor(Math.max(sinceMs, nowMs - hoursKeptMs, 0), spanMs);
  const all = new Sums(spanMs);
  const jobs = new Map<string, Map<string, Sums>>();
  for (let at = fromMs; at <= nowMs; ) {
    const untilMs = chunkEnd(at, nowMs);
    for (const row of await store.read({ fromMs: at, untilMs })) {
      if ((queue !== undefined && row.queue !== queue) || (name !== undefined && row.name !== name)) continue;
      all.add(row);
      sumsOf(jobs, row, spanMs).add(row);
    }
    at = untilMs;
  }
  return {
    connection,
    sinceMs: fromMs,
    untilMs: nowMs,
    spanMs,
    total: all.total,
    points: all.points,
    jobs: [...jobs]
      .flatMap(([ofQueue, names]) =>
        [...names].map(([ofName, sums]) => ({
          queue: ofQueue,
          name: ofName,
          ...sums.total,
          points: sums.points,
        })),
      )
      .sort((a, b) => compare(a.queue, b.queue) || compare(a.name, b.name)),
  };
}

/** Rows of one hour are read at once, so that what is merged meanwhile is seen once; old ones by the day. */
function chunkEnd(atMs: number, nowMs: number): number {
  const isOld = atMs + 2 * 24 * hourMs < nowMs;
  const endMs = floor(atMs, hourMs) + (isOld ? 24 : 1) * hourMs;
  // The clocks of other processes may be ahead.
  return endMs > nowMs ? Number.MAX_SAFE_INTEGER : endMs;
}

/** Sums of rows, in all and for each span. */
class Sums {
  readonly #spanMs: number;
  readonly #total = new Tally();
  readonly #bySpan = new Map<number, Tally>();

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  add({ startMs, body }: StatisticsRow): void {
    const tally = Tally.fromText(body);
    if (!tally) return;
    const at = floor(startMs, this.#spanMs);
    this.#bySpan.set(at, (this.#bySpan.get(at) ?? new Tally()).add(tally));
    this.#total.add(tally);
  }

  get total(): StatsCounts {
    return countsOf(this.#total);
  }

  get points(): StatsPoint[] {
    return [...this.#bySpan]
      .sort(([a], [b]) => a - b)
      .map(([startMs, tally]) => ({ startMs, spanMs: this.#spanMs, ...countsOf(tally) }));
  }
}

function sumsOf(jobs: Map<string, Map<string, Sums>>, row: StatisticsRow, spanMs: number): Sums {
  const names = jobs.get(row.queue) ?? new Map<string, Sums>();
  jobs.set(row.queue, names);
  const sums = names.get(row.name) ?? new Sums(spanMs);
  names.set(row.name, sums);
  return sums;
}

function countsOf({ counts, run, wait }: Tally): StatsCounts {
  return { ...counts, run: run.summary(), wait: wait.summary() };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
