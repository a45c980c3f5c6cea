import type { PushOutcome } from './connector.js';
import type { PreparedJob } from './push.js';
import type { QueueCore } from './queue-core.js';
import type { StatisticsKeeper } from './statistics-keeper.js';
import { pushIn } from './transaction.js';

/** Stores one job, which may share a call to the store with others of this turn of the event loop; answers its id. */
export function storeOne(core: QueueCore, connection: string, prepared: PreparedJob): Promise<string> {
  const { queue, job } = prepared;
  const trips = core.connections.pushTrips(connection);
  // An inline connection runs the job before it answers, perhaps with an error of its own.
  if (trips.inline) tellPushed(core, connection, queue, [prepared]);
  return trips.push(queue, job, (outcome) => {
    const named = withIdOf(outcome, prepared);
    if (outcome !== 'already-there' && !trips.inline) tellPushed(core, connection, queue, [named]);
    return named.job.id;
  });
}

/** Stores jobs of one queue, all or none: on their own, or with a transaction of the application. Answers their ids. */
export async function storeAll(
  core: QueueCore,
  connection: string,
  queue: string,
  jobs: readonly PreparedJob[],
  transaction?: unknown,
): Promise<string[]> {
  const connector = core.connections.connector(connection);
  if (connector.inline) tellPushed(core, connection, queue, jobs);
  const newJobs = jobs.map(({ job }) => job);
  const outcomes =
    transaction === undefined
      ? await connector.push(queue, newJobs)
      : await pushIn(connector, transaction, queue, newJobs);
  if (outcomes.every((outcome) => outcome === 'stored')) {
    if (!connector.inline) tellPushed(core, connection, queue, jobs);
    return newJobs.map(({ id }) => id);
  }
  const named = jobs.map((job, index) => withIdOf(outcomes[index], job));
  if (!connector.inline) {
    const stored = named.filter((_, index) => outcomes[index] !== 'already-there');
    tellPushed(core, connection, queue, stored);
  }
  return named.map(({ job }) => job.id);
}

/** The job under the id that its store gave it, where that does. */
function withIdOf(outcome: PushOutcome | undefined, prepared: PreparedJob): PreparedJob {
  if (typeof outcome !== 'object') return prepared;
  return { ...prepared, job: { ...prepared.job, id: outcome.storedAs } };
}

function tellPushed(
  { events, statistics }: QueueCore,
  connection: string,
  queue: string,
  stored: readonly PreparedJob[],
): void {
  if (stored.length === 0) return;
  const keeper = statistics.of(connection);
  if (keeper !== undefined) countPushed(keeper, queue, stored);
  if (!events.isHeard('queue:pushed')) return;
  const jobs = stored.map(({ name, job: { id } }) => ({ id, name }));
  events.emit({ event: 'queue:pushed', connection, queue, jobs });
}

/** Counts neighbours of one name together: all of a `bulk` are. */
function countPushed(keeper: StatisticsKeeper, queue: string, stored: readonly PreparedJob[]): void {
  let from = 0;
  for (let next = 1; next <= stored.length; next++) {
    const { name } = stored[from] as PreparedJob;
    if (stored[next]?.name === name) continue;
    keeper.pushed(queue, name, next - from);
    from = next;
  }
}
