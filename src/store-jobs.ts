import type { PreparedJob } from './push.js';
import type { QueueCore } from './queue-core.js';
import { pushIn } from './transaction.js';

/** Stores one job, which may share a call to the store with others of this turn of the event loop. */
export async function storeOne(
  { connections, statistics }: QueueCore,
  connection: string,
  { queue, name, job }: PreparedJob,
): Promise<void> {
  const trips = connections.pushTrips(connection);
  const keeper = statistics.of(connection);
  // An inline connection runs the job before it answers, perhaps with an error of its own.
  if (trips.inline) keeper?.pushed(queue, name);
  const outcome = await trips.push(queue, job);
  if (outcome === 'stored' && !trips.inline) keeper?.pushed(queue, name);
}

/** Stores jobs of one queue, all or none: on their own, or with a transaction of the application. */
export async function storeAll(
  { connections, statistics }: QueueCore,
  connection: string,
  queue: string,
  jobs: readonly PreparedJob[],
  transaction?: unknown,
): Promise<void> {
  const connector = connections.connector(connection);
  const keeper = statistics.of(connection);
  if (connector.inline) for (const { name } of jobs) keeper?.pushed(queue, name);
  const newJobs = jobs.map(({ job }) => job);
  const outcomes =
    transaction === undefined
      ? await connector.push(queue, newJobs)
      : await pushIn(connector, transaction, queue, newJobs);
  if (connector.inline) return;
  for (const [index, { name }] of jobs.entries()) {
    if (outcomes[index] === 'stored') keeper?.pushed(queue, name);
  }
}
