import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import { type Connector, silentLogger, systemClock } from '../../src/index.js';

type WaitingConnector = Connector & Required<Pick<Connector, 'waitForJob'>>;

/** Connectors to one server, which one test opens. */
export class RedisConnectors {
  readonly #open = new Set<Connector>();

  connect(options: string | RedisOptions): WaitingConnector {
    const connector = redis(options).connect({
      connection: 'redis',
      clock: systemClock,
      logger: silentLogger,
      runInline: async () => {},
    });
    this.#open.add(connector);
    return connector as WaitingConnector;
  }

  /** Leaves the closing of one to the test. */
  forget(connector: Connector): void {
    this.#open.delete(connector);
  }

  /** Closes those that are open. */
  async close(): Promise<void> {
    for (const connector of this.#open) await connector.close();
    this.#open.clear();
  }
}
