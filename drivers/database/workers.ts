import { type Beat, type BeatEntry, isQueueError, type WorkerRegistry } from '../../src/index.js';
import type { WorkerTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** How often rows of dead workers are removed by one that lives: they are few, and not listed any more. */
const pruneMs = 600_000;
/** A beat that no look has taken along in this time goes by itself. */
const longestWaitMs = 1500;

/** The list of live workers in a table of the database. */
export class DatabaseWorkers<Connection> implements WorkerRegistry {
  readonly everyMs: number;
  readonly beatAlong?: (beat: Beat) => void;
  readonly #session: Session<Connection>;
  readonly #table: WorkerTable<Connection>;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Map<string, Beat>();
  readonly #underWay = new Set<Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  /** @param onError is told what a beat failed with that nobody waits for. */
  constructor(
    session: Session<Connection>,
    table: WorkerTable<Connection>,
    onError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#table = table;
    this.#onError = onError;
    this.everyMs = table.everyMs;
    if (table.goesAlong) this.beatAlong = (beat) => this.#beatAlong(beat);
  }

  async beat(beat: Beat): Promise<void> {
    this.#waiting.delete(beat.id);
    await this.#session.run((connection) => this.#table.beat(connection, beat));
    await this.#prune();
  }

  list(): Promise<BeatEntry[]> {
    return this.#session.run((connection) => this.#table.list(connection));
  }

  async leave(id: string): Promise<void> {
    this.#waiting.delete(id);
    await Promise.allSettled(this.#underWay); // one of its beats would come after
    await this.#session.run((connection) => this.#table.leave(connection, id));
  }

  /** Takes the beats that wait for a look. */
  take(): readonly Beat[] {
    const beats = [...this.#waiting.values()];
    this.#waiting.clear();
    return beats;
  }

  /** Sees to the beats that were taken; answers false where the look should be repeated without them. */
  async wentAlong(looking: Promise<unknown>): Promise<boolean> {
    this.#underWay.add(looking);
    try {
      await looking;
      return true;
    } catch (error) {
      if (isQueueError(error) && (error.transient || error.code === 'E_QUEUE_CLOSED')) return true;
      this.#onError(error);
      return false;
    } finally {
      this.#underWay.delete(looking);
    }
  }

  /** Ends what waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #beatAlong(beat: Beat): void {
    this.#waiting.set(beat.id, beat);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#sendWaiting(), longestWaitMs);
  }

  async #sendWaiting(): Promise<void> {
    try {
      for (const beat of this.take()) await this.beat(beat);
      await this.#prune();
    } catch (error) {
      this.#onError(error);
    }
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAtMs < pruneMs) return;
    this.#prunedAtMs = performance.now();
    await this.#session.run((connection) => this.#table.prune(connection));
  }
}
