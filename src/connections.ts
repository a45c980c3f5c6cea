import { type Clock, systemClock } from './clock.js';
import type { Connector, Driver, ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import type { FailedJobStore } from './failed-jobs.js';
import type { FailedPlace } from './failure-records.js';
import { type Logger, silentLogger } from './logger.js';
import { PushTrips } from './push-trips.js';
import type { QueueConfig } from './queue-config.js';

/** Runs one job of an inline connection now; see `DriverContext.runInline`. */
type RunInline = (job: ReservedJob, connector: Connector, connection: string) => Promise<void>;

/** The connections of a config, each opened when first used. */
export class Connections {
  readonly defaultName: string;
  readonly #config: QueueConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #runInline: RunInline;
  readonly #open = new Map<string, Connector>();
  readonly #pushTrips = new WeakMap<Connector, PushTrips>();
  #closed = false;

  /** @throws QueueError `E_CONFIG` when there are no connections or the default is none of them. */
  constructor(config: QueueConfig, runInline: RunInline) {
    this.#config = config;
    this.#clock = config.clock ?? systemClock;
    this.#logger = config.logger ?? silentLogger;
    this.#runInline = runInline;
    const names = Object.keys(config.connections ?? {});
    if (names.length === 0) {
      throw new QueueError('E_CONFIG', 'connections: there is none', {
        fix: 'Add one, such as connections: { default: memory() }.',
      });
    }
    this.defaultName = config.default ?? (names.length === 1 ? (names[0] as string) : 'default');
    this.driver(this.defaultName);
    if (typeof config.failed === 'object') this.driver(config.failed.connection);
  }

  get names(): string[] {
    return Object.keys(this.#config.connections);
  }

  /** @throws QueueError `E_CONNECTION_UNKNOWN`. */
  driver(name: string): Driver {
    const { connections } = this.#config;
    const driver = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (typeof driver?.connect === 'function') return driver;
    if (driver !== undefined) {
      throw new QueueError('E_CONFIG', `connections.${name} is not a driver`, {
        fix: "Use the value of a driver's function, such as memory() or database('sqlite:./drover.sqlite').",
      });
    }
    throw new QueueError('E_CONNECTION_UNKNOWN', `there is no connection ${name}`, {
      fix: `The config has ${this.names.join(', ')}.`,
    });
  }

  /** @throws QueueError `E_CONNECTION_UNKNOWN`, `E_QUEUE_CLOSED`. */
  connector(name: string): Connector {
    if (this.#closed) throw new QueueError('E_QUEUE_CLOSED', 'the queue was closed');
    const open = this.#open.get(name);
    if (open) return open;
    const connector = this.driver(name).connect({
      connection: name,
      clock: this.#clock,
      logger: this.#logger,
      runInline: (job, inline) => this.#runInline(job, inline, name),
    });
    this.#open.set(name, connector);
    return connector;
  }

  /** How jobs that are pushed one by one get to a connection. Throws as `connector` does. */
  pushTrips(name: string): PushTrips {
    const connector = this.connector(name);
    const known = this.#pushTrips.get(connector);
    if (known) return known;
    const made = new PushTrips(connector);
    this.#pushTrips.set(connector, made);
    return made;
  }

  /**
   * Where the failed jobs of a connection go.
   *
   * @throws QueueError `E_FAILED_STORE_MISSING` when its store keeps none and the config names no other:
   * a job is deleted without a record by explicit choice only.
   */
  failedPlace(name: string): FailedPlace {
    const { failed = 'same' } = this.#config;
    if (failed === 'none') return { kind: 'none' };
    const connector = this.connector(name);
    if (failed !== 'same' && failed.connection !== name) {
      return { kind: 'other-store', store: this.#failedStoreOf(failed.connection) };
    }
    if (connector.inline && !connector.failedJobs) return { kind: 'none' }; // its pusher gets the error itself
    const store = this.#failedStoreOf(name);
    return connector.fail ? { kind: 'same-store' } : { kind: 'other-store', store };
  }

  /** The failed-job stores of the config, each under the name of its connection. */
  failedStores(): Map<string, FailedJobStore> {
    const { failed = 'same' } = this.#config;
    if (failed === 'none') return new Map();
    const names = failed === 'same' ? this.names : [failed.connection];
    const stores = new Map<string, FailedJobStore>();
    for (const name of names) {
      const store = this.connector(name).failedJobs;
      if (store) stores.set(name, store);
    }
    return stores;
  }

  #failedStoreOf(name: string): FailedJobStore {
    const store = this.connector(name).failedJobs;
    if (store) return store;
    throw new QueueError('E_FAILED_STORE_MISSING', `connection ${name} cannot keep failed jobs`, {
      fix: "Set failed: { connection: '…' } to one that can, or failed: 'none' to delete them.",
    });
  }

  /** @param before is done between refusing new calls and closing. */
  async close(before: () => Promise<void>): Promise<void> {
    this.#closed = true;
    await before();
    await Promise.all([...this.#open.values()].map((connector) => connector.close()));
  }
}
