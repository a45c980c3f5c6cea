import type { Clock } from './clock.js';
import type { Connections } from './connections.js';
import { QueueError } from './errors.js';
import { HistoryKeeper } from './history-keeper.js';
import type { HistoryStore } from './history-store.js';
import type { Logger } from './logger.js';

/** The histories of all connections of a config. */
export class Histories {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #keepers = new Map<string, HistoryKeeper | undefined>();

  constructor(connections: Connections, clock: Clock, logger: Logger) {
    this.#connections = connections;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Who keeps the ended jobs of a connection; undefined where its `history` is off.
   *
   * @throws QueueError `E_UNSUPPORTED` where its store cannot.
   */
  of(connection: string): HistoryKeeper | undefined {
    if (this.#keepers.has(connection)) return this.#keepers.get(connection);
    const store = this.storeOf(connection);
    const { history: keep } = this.#connections.driver(connection).settings;
    const keeper =
      store &&
      keep &&
      new HistoryKeeper({ store, keep, connection, clock: this.#clock, logger: this.#logger });
    this.#keepers.set(connection, keeper);
    return keeper;
  }

  /** Where the ended jobs of a connection are; undefined where its `history` is off. Throws as `of`. */
  storeOf(connection: string): HistoryStore | undefined {
    if (this.#connections.driver(connection).settings.history === undefined) return undefined;
    const { history } = this.#connections.connector(connection);
    if (history) return history;
    throw new QueueError('E_UNSUPPORTED', `the store of connection ${connection} can keep no history`, {
      fix: 'Remove its option history.',
    });
  }

  /** Writes what was collected, and waits for it a moment. Never rejects. */
  async flush(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper?.flush()));
  }
}
