import { monotonicMs } from '../../src/index.js';
import type { Session } from './session.js';
import type { DatabaseSignals } from './signals.js';
import type { DatabaseWorkers } from './workers.js';

/** What {@link Looks} work with. */
export interface LooksOptions<Connection> {
  readonly session: Session<Connection>;
  /** How far apart the looks of an idle worker are, in ms. */
  readonly everyMs: number;
  readonly signals: DatabaseSignals<Connection>;
  readonly workers: DatabaseWorkers<Connection>;
}

/** What a look saw. Times are of `monotonicMs()`. */
export interface Sighting {
  readonly queues: readonly string[];
  readonly askedAtMs: number;
  /** When the next job of the queues is due; Infinity is not in sight. */
  readonly dueAtMs: number;
}

/** Looks at queues, which take along the signals that are watched and the beats of workers. */
export class Looks<Connection> {
  readonly #options: LooksOptions<Connection>;
  #kept: { readonly sighting: Sighting; readonly calls: number } | undefined;

  constructor(options: LooksOptions<Connection>) {
    this.#options = options;
  }

  /** How far apart the looks of an idle worker are, in ms. */
  get everyMs(): number {
    return this.#options.everyMs;
  }

  async look(queues: readonly string[]): Promise<Sighting> {
    const { signals } = this.#options;
    const askedAtMs = monotonicMs();
    const keys = signals.toReadAlong();
    const sight = await this.#ask(queues, keys);
    signals.told(keys, sight.signals);
    return { queues, askedAtMs, dueAtMs: monotonicMs() + sight.msUntilDue };
  }

  /**
   * Keeps what a wait saw as it ended, for one that begins at once: in this turn of the event loop, before the
   * connector is asked for anything else.
   */
  keep(sighting: Sighting): void {
    const kept = { sighting, calls: this.#options.session.calls };
    this.#kept = kept;
    const forget = () => {
      if (this.#kept === kept) this.#kept = undefined;
    };
    setImmediate(forget);
  }

  /** Forgets what is kept: something has changed. */
  forget(): void {
    this.#kept = undefined;
  }

  /** What is kept of these queues. */
  kept(queues: readonly string[]): Sighting | undefined {
    if (this.#kept === undefined || this.#kept.calls !== this.#options.session.calls) return undefined;
    const { sighting } = this.#kept;
    return queues.every((queue) => sighting.queues.includes(queue)) ? sighting : undefined;
  }

  async #ask(queues: readonly string[], keys: readonly string[]) {
    const { session, workers } = this.#options;
    const beats = workers.take();
    if (beats.length === 0)
      return await session.run((connection, dialect) => dialect.looks.look(connection, queues, keys));
    const looking = session.run((connection, dialect) => dialect.looks.look(connection, queues, keys, beats));
    if (await workers.wentAlong(looking)) return await looking;
    // The list of workers must not keep anybody from its work.
    return await session.run((connection, dialect) => dialect.looks.look(connection, queues, keys));
  }
}
