import {
  type Clock,
  type ConnectionOptions,
  checkOptionNames,
  connectionOptionNames,
  connectionSettings,
  type Driver,
} from '../../src/index.js';
import { MemoryConnector } from './connector.js';

/** Options of a memory connection. */
export interface MemoryOptions extends ConnectionOptions {
  /** The time for delays and leases. Default: the clock of the application, which is the machine's. */
  readonly clock?: Clock;
}

/**
 * Jobs in the memory of this process: for tests, and for work that may be lost with the process. Every
 * `connect` makes a new, empty store.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be.
 */
export function memory(options: MemoryOptions = {}): Driver {
  checkOptionNames(options, ['clock', ...connectionOptionNames], 'memory');
  return {
    driver: 'memory',
    settings: connectionSettings(options),
    connect: (context) => new MemoryConnector(options.clock ?? context.clock),
  };
}
