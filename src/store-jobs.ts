import type { NewJob, PushOutcome } from './connector.js';
import type { PreparedJob } from './push.js';
import type { QueueCore } from './queue-core.js';
import { pushIn } from './transaction.js';

/** Stores one job, which may share a call to the store with others of this turn of the event loop; answers its id. */
export async function storeOne(
  { connections, statistics }: QueueCore,
  connection: string,
  { queue, name, job }: PreparedJob,
): Promise<string> {
  const trips = connections.pushTrips(connection);
  const keeper = statistics.of(connection);
  // An inline connection runs the job before it answers, perhaps with an error of its own.
  if (trips.inline) keeper?.pushed(queue, name);
  const outcome = await trips.push(queue, job);
  if (outcome !== 'already-there' && !trips.inline) keeper?.pushed(queue, name);
  return idOf(job, outcome);
}

/** Stores jobs of one queue, all or none: on their own, or with a transaction of the application. Answers their ids. */
export async function storeAll(
  { connections, statistics }: QueueCore,
  connection: string,
  queue: string,
  jobs: readonly PreparedJob[],
  transaction?: unknown,
): Promise<string[]> {
  const connector = connections.connector(connection);
  const keeper = statistics.of(connection);
  if (connector.inline) for (const { name } of jobs) keeper?.pushed(queue, name);
  const newJobs = jobs.map(({ job }) => job);
  const outcomes =
    transaction === undefined
      ? await connector.push(queue, newJobs)
      : await pushIn(connector, transaction, queue, newJobs);
  if (!connector.inline) {
    for (const [index, { name }] of jobs.entries()) {
      if (outcomes[index] !== 'already-there') keeper?.pushed(queue, name);
    }
  }
  return newJobs.map((job, index) => idOf(job, outcomes[index]));
}

function idOf({ id }: NewJob, outcome: PushOutcome | undefined): string {
  return typeof outcome === 'object' ? outcome.storedAs : id;
}
