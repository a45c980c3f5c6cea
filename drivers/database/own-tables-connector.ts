import type { Lease, Release, ReservedJob } from '../../src/index.js';
import { DatabaseConnector } from './connector.js';
import type { DeletedAndReserved, OwnDialect } from './dialects/dialect.js';

/** The contract on drover's own tables, with the verbs for which PHP's lack columns and indexes. */
export class OwnTablesConnector<Connection> extends DatabaseConnector<Connection, OwnDialect<Connection>> {
  /** By their ids: there is an index for them, and no two jobs of a queue have the same. */
  bodiesOf(jobs: readonly ReservedJob[]): Promise<(string | undefined)[]> {
    return Promise.all(
      jobs.map(async ({ queue, id, attempts }) => {
        const found = await this.find(queue, id);
        return found?.attempts === attempts ? found.body : undefined;
      }),
    );
  }

  async unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    const held = await this.parts.session.run((connection, { jobs }) => jobs.unreserve(connection, leases));
    this.tellOfReleased(leases.map((lease) => ({ lease, delayMs: 0 })));
    return held;
  }

  async releaseThrown(releases: readonly Release[]): Promise<boolean[]> {
    const { session } = this.parts;
    const held = await session.run((connection, { jobs }) => jobs.releaseThrown(connection, releases));
    this.tellOfReleased(releases);
    return held;
  }

  longestWaitMs(queue: string): Promise<number | null> {
    return this.parts.session.run((connection, { jobs }) => jobs.longestWaitMs(connection, queue));
  }

  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<{ held: boolean[]; jobs: ReservedJob[] }> {
    const { session, waits } = this.parts;
    const outcome: DeletedAndReserved = await session.run((connection, { jobs }) =>
      jobs.deleteAndReserve(connection, leases, queues, limit, leaseMs),
    );
    if (outcome.jobs.length > 0) waits?.noteWork();
    return outcome;
  }
}
