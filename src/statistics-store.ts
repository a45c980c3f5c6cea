/**
 * What a row sums up. `live`: a minute of one process, which alone writes it, again and again while the minute lasts.
 * `minute` and `hour`: of all processes; what is in one is in no row of another level any more.
 */
export type StatisticsLevel = 'live' | 'minute' | 'hour';

/** What names a row. */
export interface StatisticsKey {
  readonly level: StatisticsLevel;
  /** When the minute or hour began, in ms since the epoch. */
  readonly startMs: number;
  /** Names the process of a live row, at most 40 letters and digits; empty on other levels. */
  readonly source: string;
  /** At most 120 characters. */
  readonly queue: string;
  /** The wire name of the job, at most 255 characters. */
  readonly name: string;
}

/** One row of statistics. */
export interface StatisticsRow extends StatisticsKey {
  /** ASCII text of a few KB at most, opaque to the store. */
  readonly body: string;
}

/** Which rows to read; all conditions hold together. */
export interface StatisticsRange {
  readonly level?: StatisticsLevel;
  /** Rows that start at this time or later, in ms since the epoch. */
  readonly fromMs: number;
  /** Rows that start before this time. */
  readonly untilMs: number;
  /** At most so many, the oldest. Default: all. */
  readonly limit?: number;
}

/** Where statistics are kept: rows of text under a key, with the jobs but without touching them. */
export interface StatisticsStore {
  /** Keeps rows, as one operation or each by itself; a row replaces the one of its key. No two have the same key. */
  put(rows: readonly StatisticsRow[]): Promise<void>;
  /** The rows of a range, oldest first. One consistent look: a row that `replace` moves meanwhile is seen once. */
  read(range: StatisticsRange): Promise<StatisticsRow[]>;
  /**
   * Removes rows and keeps others in their place, as one operation, if each of the old ones is still there as it was
   * read, body and all; else changes nothing and answers false. A new row may have the key of an old one.
   */
  replace(rows: readonly StatisticsRow[], by: readonly StatisticsRow[]): Promise<boolean>;
}

/** A text that is the same for two keys if they are the same. Names hold no spaces. */
export function keyText({ level, startMs, source, queue, name }: StatisticsKey): string {
  return [level, startMs, source, queue, name].join(' ');
}

/** Statistics in the memory of this process, for connections that keep everything there. */
export class ProcessStatistics implements StatisticsStore {
  readonly #rows = new Map<string, StatisticsRow>();
  readonly #assertOpen: () => void;

  /** @param assertOpen throws `E_QUEUE_CLOSED` once the connector was closed. */
  constructor(assertOpen: () => void = () => {}) {
    this.#assertOpen = assertOpen;
  }

  async put(rows: readonly StatisticsRow[]): Promise<void> {
    this.#assertOpen();
    for (const row of rows) this.#rows.set(keyText(row), row);
  }

  async read({ level, fromMs, untilMs, limit }: StatisticsRange): Promise<StatisticsRow[]> {
    this.#assertOpen();
    const found = [...this.#rows.values()].filter(
      (row) => (level === undefined || row.level === level) && row.startMs >= fromMs && row.startMs < untilMs,
    );
    return found.sort((a, b) => a.startMs - b.startMs).slice(0, limit);
  }

  async replace(rows: readonly StatisticsRow[], by: readonly StatisticsRow[]): Promise<boolean> {
    this.#assertOpen();
    if (!rows.every((row) => this.#rows.get(keyText(row))?.body === row.body)) return false;
    for (const row of rows) this.#rows.delete(keyText(row));
    for (const row of by) this.#rows.set(keyText(row), row);
    return true;
  }
}
