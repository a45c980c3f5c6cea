import type { Connector, Lease, ReservedJob } from '../../src/index.js';
import type { Capability, ConformanceHarness } from './harness.js';
import { failedRecord, job, leaseMs, offered, pastLeaseMs, reserveOne } from './steps.js';

/** A verb that takes leases, in a common form. */
export interface SettlingVerb {
  readonly name:
    | 'extend'
    | 'delete'
    | 'deleteAndReserve'
    | 'release'
    | 'unreserve'
    | 'postpone'
    | 'releaseThrown'
    | 'fail';
  readonly needs: readonly Capability[];
  /** Calls the verb for the leases of these jobs; `release` without a delay. */
  call(connector: Connector, held: readonly ReservedJob[]): Promise<boolean[]>;
}

function leasesOf(held: readonly ReservedJob[]): Lease[] {
  return held.map(({ lease }) => lease);
}

/** All of them: what holds for one must hold for each. */
export const settlingVerbs: readonly SettlingVerb[] = [
  { name: 'extend', needs: [], call: (connector, held) => connector.extend(leasesOf(held), leaseMs) },
  { name: 'delete', needs: [], call: (connector, held) => connector.delete(leasesOf(held)) },
  {
    name: 'deleteAndReserve',
    needs: ['deleteAndReserve'],
    call: async (connector, held) => {
      const leases = leasesOf(held);
      return (await offered(connector).deleteAndReserve(leases, ['nothing-here'], 1, leaseMs)).held;
    },
  },
  {
    name: 'release',
    needs: [],
    call: (connector, held) => connector.release(held.map(({ lease }) => ({ lease, delayMs: 0 }))),
  },
  {
    name: 'unreserve',
    needs: ['unreserve'],
    call: (connector, held) => offered(connector).unreserve(leasesOf(held)),
  },
  {
    name: 'postpone',
    needs: ['postpone'],
    call: (connector, held) => offered(connector).postpone(held.map(({ lease }) => ({ lease, delayMs: 0 }))),
  },
  {
    name: 'releaseThrown',
    needs: ['releaseThrown'],
    call: (connector, held) =>
      offered(connector).releaseThrown(held.map(({ lease }) => ({ lease, delayMs: 0 }))),
  },
  {
    name: 'fail',
    needs: ['fail', 'failedJobs'],
    call: (connector, held) =>
      offered(connector).fail(held.map((one) => ({ lease: one.lease, record: failedRecord(one) }))),
  },
];

/** A way for a holder to be without its lease. */
export interface WayToLose {
  /** Completes the sentence "after the job …". */
  readonly name: string;
  readonly needs: readonly Capability[];
  /** After this the lease of `held` is lost. */
  lose(harness: ConformanceHarness, held: ReservedJob): Promise<unknown>;
}

/** Ways that leave the job reserved by another worker, with the same id. */
export const waysToAnotherHolder: readonly WayToLose[] = [
  {
    name: 'lapsed and was taken by another worker',
    needs: [],
    lose: async ({ advance, other }) => {
      await advance(pastLeaseMs);
      return reserveOne(other);
    },
  },
  {
    name: 'was released and taken by another worker',
    needs: [],
    lose: async ({ connector, other }, { lease }) => {
      await connector.release([{ lease, delayMs: 0 }]);
      return reserveOne(other);
    },
  },
  {
    name: 'was unreserved and taken with the same attempts',
    needs: ['unreserve'],
    lose: async ({ connector, other }, { lease }) => {
      await offered(connector).unreserve([lease]);
      return reserveOne(other);
    },
  },
  {
    name: 'was deleted, pushed again and taken',
    needs: [],
    lose: async ({ connector, other }, { id, lease }) => {
      await connector.delete([lease]);
      await other.push('q', [job(id)]);
      return reserveOne(other);
    },
  },
  {
    name: 'was cleared, pushed again and taken',
    needs: [],
    lose: async ({ other }, { id }) => {
      await other.clear('q', { reserved: true });
      await other.push('q', [job(id)]);
      return reserveOne(other);
    },
  },
  {
    name: 'failed, was retried and taken with the same attempts',
    needs: ['fail', 'failedJobs', 'failedJobs.retry'],
    lose: async ({ connector, other }, held) => {
      const record = failedRecord(held);
      await offered(connector).fail([{ lease: held.lease, record }]);
      await offered(other).failedJobs.retry([record.uuid]);
      return reserveOne(other);
    },
  },
];

/** Ways that leave nobody with the job reserved. */
export const waysToNoHolder: readonly WayToLose[] = [
  {
    name: 'was cleared',
    needs: [],
    lose: ({ other }) => other.clear('q', { reserved: true }),
  },
  {
    name: 'was released with a delay',
    needs: [],
    lose: ({ connector }, { lease }) => connector.release([{ lease, delayMs: 600_000 }]),
  },
  ...settlingVerbs
    .filter(({ name }) => name !== 'extend')
    .map(({ name, needs, call }) => ({
      name: `was settled by ${name}`,
      needs,
      lose: ({ connector }: ConformanceHarness, held: ReservedJob) => call(connector, [held]),
    })),
];
