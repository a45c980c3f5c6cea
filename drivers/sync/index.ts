import {
  type ConnectionOptions,
  checkOptionNames,
  connectionSettings,
  type Driver,
} from '../../src/index.js';
import { SyncConnector } from './connector.js';

/**
 * Runs each job once, now, inside `push`, whatever its delay: for tests, and for switching a queue off
 * without touching the code that pushes. A job's error rejects the push, after the job's `failed` hook.
 *
 * @throws QueueError `E_CONFIG` or `E_QUEUE_NAME` for options that cannot be.
 */
export function sync(options: Pick<ConnectionOptions, 'queue'> = {}): Driver {
  checkOptionNames(options, ['queue'], 'sync');
  return {
    driver: 'sync',
    // Nobody else can take a job that runs while it is pushed: no timeout is too long for its lease.
    settings: { ...connectionSettings(options), leaseMs: Number.POSITIVE_INFINITY },
    connect: (context) => new SyncConnector(context),
  };
}
