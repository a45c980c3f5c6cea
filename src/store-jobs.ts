import type { NewJob, PushOutcome } from './connector.js';
import type { PreparedJob } from './push.js';
import type { QueueCore } from './queue-core.js';
import { pushIn } from './transaction.js';

/** Stores one job, which may share a call to the store with others of this turn of the event loop. */
export function storeOne(core: QueueCore, connection: string, job: PreparedJob): Promise<void> {
  const trips = core.connections.pushTrips(connection);
  return counted(core, connection, job.queue, [job], async ([newJob]) => [
    await trips.push(job.queue, newJob as NewJob),
  ]);
}

/** Stores jobs of one queue, all or none: on their own, or with a transaction of the application. */
export function storeAll(
  core: QueueCore,
  connection: string,
  queue: string,
  jobs: readonly PreparedJob[],
  transaction?: unknown,
): Promise<void> {
  const connector = core.connections.connector(connection);
  return counted(core, connection, queue, jobs, (newJobs) =>
    transaction === undefined
      ? connector.push(queue, newJobs)
      : pushIn(connector, transaction, queue, newJobs),
  );
}

async function counted(
  { connections, statistics }: QueueCore,
  connection: string,
  queue: string,
  jobs: readonly PreparedJob[],
  store: (newJobs: NewJob[]) => Promise<PushOutcome[]>,
): Promise<void> {
  const keeper = statistics.of(connection);
  const newJobs = jobs.map(({ job }) => job);
  if (connections.connector(connection).inline) {
    // It runs the jobs before it answers, perhaps with an error of theirs.
    for (const { name } of jobs) keeper?.pushed(queue, name);
    await store(newJobs);
    return;
  }
  const outcomes = await store(newJobs);
  for (const [index, { name }] of jobs.entries()) {
    if (outcomes[index] === 'stored') keeper?.pushed(queue, name);
  }
}
