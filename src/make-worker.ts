import { QueueError } from './errors.js';
import { withFields } from './logger.js';
import type { QueueCore } from './queue-core.js';
import { Worker } from './worker.js';
import { checkWorkerOptions, type WorkerOptions } from './worker-options.js';
import type { WorkerWatch } from './worker-watch.js';

/**
 * Makes a worker for a connection, to be started with `run`.
 *
 * @param options go before those of the config.
 * @throws QueueError `E_INLINE_CONNECTION`, `E_JOB_NOT_LOADED`, `E_FAILED_STORE_MISSING`, and see `WorkerOptions`.
 */
export function makeWorker(
  core: QueueCore,
  connectionName: string,
  options: WorkerOptions,
  watch: WorkerWatch | undefined,
): Worker {
  const { config, connections } = core;
  const { settings } = connections.driver(connectionName);
  const connection = { name: connectionName, ...settings };
  const checked = checkWorkerOptions({ ...config.worker, ...defined(options) }, connection);
  const connector = connections.connector(connectionName);
  if (connector.inline) {
    throw new QueueError(
      'E_INLINE_CONNECTION',
      `connection ${connectionName} runs jobs as they are pushed: there is nothing to work`,
      { fix: 'Choose another connection, or just push.' },
    );
  }
  core.assertJobsLoaded();
  const ofCore = core.attemptContext(connectionName, connector, checked);
  const logger =
    checked.name === undefined ? ofCore.logger : withFields(ofCore.logger, { worker: checked.name });
  const context = { ...ofCore, logger };
  return new Worker(
    connector,
    settings.leaseMs,
    checked,
    context,
    { ...config, workers: core.workers },
    watch,
  );
}

/** Options that are given as undefined leave the config's default in force. */
function defined(options: WorkerOptions): WorkerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
