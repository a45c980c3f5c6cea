import type { Connector, Lease, NewJob, PushOutcome } from './connector.js';
import { QueueError } from './errors.js';

/**
 * Stores jobs inside a transaction of the application; answers per job.
 *
 * @throws QueueError `E_UNSUPPORTED` where the store knows no transactions of others.
 */
export async function pushIn(
  connector: Connector,
  transaction: unknown,
  queue: string,
  jobs: readonly NewJob[],
): Promise<PushOutcome[]> {
  if (connector.pushIn === undefined) throw unsupported('push');
  return await connector.pushIn(transaction, queue, jobs);
}

/**
 * Deletes a job inside a transaction of the application; answers whether its lease was held.
 *
 * @throws QueueError `E_UNSUPPORTED` where the store knows no transactions of others.
 */
export async function deleteIn(connector: Connector, transaction: unknown, lease: Lease): Promise<boolean> {
  if (connector.deleteIn === undefined) throw unsupported('delete');
  const [held] = await connector.deleteIn(transaction, [lease]);
  return held === true;
}

function unsupported(verb: string): QueueError {
  return new QueueError('E_UNSUPPORTED', `this store cannot ${verb} inside a transaction of yours`, {
    fix: 'Keep the jobs in the same database, with the database driver.',
  });
}
