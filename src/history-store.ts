/** A run of a job that ended for good: it was done, or it was given up. */
export interface EndedJob {
  /**
   * Names this end of this job: 28 hex digits that sort by the time of the end. A job that was pushed or retried again
   * under its old id ends again under another.
   */
  readonly entryId: string;
  readonly jobId: string;
  readonly queue: string;
  /** The job's wire name, or null where the payload could not be read. */
  readonly name: string | null;
  readonly state: 'done' | 'failed';
  /** Deliveries, the last one included. */
  readonly attempts: number;
  /** When the job was pushed, in ms since the epoch, where its id or its store tells. */
  readonly createdAtMs: number | null;
  /** When it was due first, where its payload tells. */
  readonly dueAtMs: number | null;
  /** When its last run began, by the worker's clock; null where no handler was started. */
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number;
  readonly host: string;
  readonly pid: number;
  /** What the handler returned, as JSON of bounded length; null where it returned nothing or that is not kept. */
  readonly result: string | null;
  /** Why the result is not kept, where there was one. */
  readonly note: string | null;
}

/** Which ends to list; all conditions hold together. */
export interface HistoryFilter {
  readonly state?: EndedJob['state'];
  readonly queue?: string;
  readonly name?: string;
  /** Only what ended at or after this time, in ms since the epoch. */
  readonly sinceMs?: number;
  /** Default 100. */
  readonly limit?: number;
}

/** What a prune keeps; what is beyond either bound goes. */
export interface HistoryBounds {
  /** So many of the newest ends. */
  readonly count?: number;
  /** What ended at or after this time, in ms since the epoch. */
  readonly sinceMs?: number;
}

/** How many ends one `prune` removes at most. */
export const mostPruned = 1000;

/** Where ended jobs are kept for people to look at, with the jobs but without touching them. */
export interface HistoryStore {
  /** Keeps ends, as one operation or each by itself. One that is there already stays as it is. */
  add(ended: readonly EndedJob[]): Promise<void>;
  /** The newest first. */
  list(filter?: HistoryFilter): Promise<EndedJob[]>;
  /** All kept ends of the jobs of these ids, in whatever queue, the newest first. */
  find(jobIds: readonly string[]): Promise<EndedJob[]>;
  /** Removes the oldest of what is beyond the bounds, {@link mostPruned} at most; answers how many. */
  prune(keep: HistoryBounds): Promise<number>;
}

/** What the entry id of every end from a time on is not below. */
export function entryIdFrom(ms: number): string {
  return Math.max(0, Math.ceil(ms)).toString(16).padStart(12, '0');
}

/** True for an end that a filter lets through. */
export function passes(ended: EndedJob, { state, queue, name, sinceMs }: HistoryFilter): boolean {
  return (
    (state === undefined || ended.state === state) &&
    (queue === undefined || ended.queue === queue) &&
    (name === undefined || ended.name === name) &&
    (sinceMs === undefined || ended.finishedAtMs >= sinceMs)
  );
}

/** Ended jobs in the memory of this process, for connections that keep everything there. */
export class ProcessHistory implements HistoryStore {
  readonly #ended = new Map<string, EndedJob>();
  readonly #assertOpen: () => void;

  /** @param assertOpen throws `E_QUEUE_CLOSED` once the connector was closed. */
  constructor(assertOpen: () => void = () => {}) {
    this.#assertOpen = assertOpen;
  }

  async add(ended: readonly EndedJob[]): Promise<void> {
    this.#assertOpen();
    for (const one of ended) if (!this.#ended.has(one.entryId)) this.#ended.set(one.entryId, one);
  }

  async list(filter: HistoryFilter = {}): Promise<EndedJob[]> {
    this.#assertOpen();
    return this.#newestFirst()
      .filter((one) => passes(one, filter))
      .slice(0, filter.limit ?? 100);
  }

  async find(jobIds: readonly string[]): Promise<EndedJob[]> {
    this.#assertOpen();
    return this.#newestFirst().filter(({ jobId }) => jobIds.includes(jobId));
  }

  async prune({ count, sinceMs }: HistoryBounds): Promise<number> {
    this.#assertOpen();
    const newest = this.#newestFirst();
    const beyond = newest.filter(
      ({ entryId }, index) =>
        (count !== undefined && index >= count) || (sinceMs !== undefined && entryId < entryIdFrom(sinceMs)),
    );
    const oldest = beyond.slice(-mostPruned);
    for (const { entryId } of oldest) this.#ended.delete(entryId);
    return oldest.length;
  }

  #newestFirst(): EndedJob[] {
    return [...this.#ended.values()].sort((a, b) => (a.entryId < b.entryId ? 1 : -1));
  }
}
