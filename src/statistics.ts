import type { Clock } from './clock.js';
import type { Connections } from './connections.js';
import { QueueError } from './errors.js';
import type { Logger } from './logger.js';
import type { QueueConfig } from './queue-config.js';
import { StatisticsKeeper } from './statistics-keeper.js';
import type { QueueStats, StatsOptions } from './statistics-report.js';

/** The statistics of all connections of a config. */
export class Statistics {
  readonly #config: QueueConfig;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #keepers = new Map<string, StatisticsKeeper | undefined>();

  constructor(config: QueueConfig, connections: Connections, clock: Clock, logger: Logger) {
    this.#config = config;
    this.#connections = connections;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Who counts for a connection; undefined where nobody does. */
  of(connection: string): StatisticsKeeper | undefined {
    if (this.#keepers.has(connection)) return this.#keepers.get(connection);
    const store = this.#connections.connector(connection).statistics;
    const keeper =
      store === undefined || this.#config.statistics === false
        ? undefined
        : new StatisticsKeeper({ store, connection, clock: this.#clock, logger: this.#logger });
    this.#keepers.set(connection, keeper);
    return keeper;
  }

  /**
   * What all processes counted on a connection, this one included.
   *
   * @throws QueueError `E_UNSUPPORTED` where its store keeps no statistics, and see `checkStatsOptions`.
   */
  async read(connection: string, options: StatsOptions): Promise<QueueStats> {
    const { checkStatsOptions, readStats } = await import('./operations.js');
    const wish = checkStatsOptions(options, this.#clock.now());
    const { statistics: store } = this.#connections.connector(connection);
    if (store === undefined) {
      throw new QueueError('E_UNSUPPORTED', `the store of connection ${connection} keeps no statistics`, {
        fix: 'The built-in drivers do.',
      });
    }
    await this.of(connection)?.flush();
    return await readStats(store, connection, wish);
  }

  /** Writes what was counted, and waits for it a moment. Never rejects. */
  async flush(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper?.flush()));
  }
}
