import {
  type Beat,
  type BeatEntry,
  isQueueError,
  monotonicMs,
  WaitingBeats,
  type WorkerRegistry,
} from '../../src/index.js';
import type { Session } from './session.js';
import type { Traits } from './traits.js';

/** How often rows of dead workers are removed by one that lives: they are few, and not listed any more. */
const pruneMs = 600_000;

/** The list of live workers in a table of the database. */
export class DatabaseWorkers<Connection> implements WorkerRegistry {
  readonly everyMs: number;
  readonly beatAlong?: (beat: Beat) => void;
  readonly #session: Session<Connection>;
  readonly #onError: (error: unknown) => void;
  readonly #waiting: WaitingBeats;
  readonly #underWay = new Set<Promise<unknown>>();
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  /** @param onError is told what a beat failed with that nobody waits for. */
  constructor(
    session: Session<Connection>,
    { beatMs, beatsGoAlong }: Traits,
    onError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#onError = onError;
    this.everyMs = beatMs;
    this.#waiting = new WaitingBeats({ send: (beat) => this.beat(beat), tidy: () => this.#prune(), onError });
    if (beatsGoAlong) this.beatAlong = (beat) => this.#waiting.add(beat);
  }

  async beat(beat: Beat): Promise<void> {
    this.#waiting.drop(beat.id);
    await this.#session.run((connection, { workers }) => workers.beat(connection, beat));
    await this.#prune();
  }

  list(): Promise<BeatEntry[]> {
    return this.#session.run((connection, { workers }) => workers.list(connection));
  }

  async leave(id: string): Promise<void> {
    this.#waiting.drop(id);
    await Promise.allSettled(this.#underWay); // one of its beats would come after
    await this.#session.run((connection, { workers }) => workers.leave(connection, id));
  }

  /** Takes the beats that wait for a look. */
  take(): readonly Beat[] {
    return this.#waiting.take();
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
    this.#waiting.close();
  }

  async #prune(): Promise<void> {
    if (monotonicMs() - this.#prunedAtMs < pruneMs) return;
    this.#prunedAtMs = monotonicMs();
    await this.#session.run((connection, { workers }) => workers.prune(connection));
  }
}
