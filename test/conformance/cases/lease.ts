import type { ConformanceCase } from '../harness.js';
import {
  holds,
  holdsSize,
  idsOf,
  jobs,
  leaseMs,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

/** How long a lease lasts, and what becomes of a job when it lapses. */
export const leaseCases: readonly ConformanceCase[] = [
  {
    name: 'lease: a job whose lease lapsed is handed out again',
    async run({ connector, other, advance }) {
      const first = await pushAndReserve(connector);
      await advance(pastLeaseMs);
      await holdsSize('a job whose lease lapsed counts as ready', connector, { ready: 1 });
      const second = await reserveOne(other);
      holds('a lapsed job comes back as it was', [second.id, second.body], [first.id, first.body]);
      await holdsSize('a job taken over is reserved', connector, { reserved: 1 });
    },
  },
  {
    name: 'lease: a lapsed job comes although others wait, and all lapsed jobs do',
    async run({ connector, advance }) {
      await connector.push('q', jobs(50, 'lapsed-'));
      await reserveAll(connector);
      await connector.push('q', jobs(50, 'waiting-'));
      await advance(pastLeaseMs);
      const ids = idsOf(await reserveAll(connector)).sort();
      holds(
        'reserve takes due and lapsed jobs',
        ids,
        idsOf([...jobs(50, 'lapsed-'), ...jobs(50, 'waiting-')]).sort(),
      );
    },
  },
  {
    name: 'lease: each reserve sets its own length',
    async run({ connector, advance }) {
      await connector.push('q', jobs(2));
      await connector.reserve(['q'], 1, 20_000);
      await connector.reserve(['q'], 1, 600_000);
      await advance(60_000);
      holds('the shorter lease lapses first', idsOf(await reserveAll(connector)), ['job-0']);
    },
  },
  {
    name: 'lease: extend moves the end to so long from now',
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector);
      await advance(40_000);
      holds('extend answers true where the lease is held', await connector.extend([lease], 60_000), [true]);
      await advance(40_000);
      holds('extend moves the end of a lease', await reserveAll(other), []);
      await holdsSize('an extended job is reserved', connector, { reserved: 1 });
      holds('a lease can be extended again', await connector.extend([lease], 60_000), [true]);
      await advance(75_000);
      holds('an extended lease lapses at its new end', idsOf(await reserveAll(other)), ['a']);
    },
  },
  {
    name: 'lease: extend counts from now, not from the old end',
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector);
      for (let time = 0; time < 5; time += 1) await connector.extend([lease], 60_000);
      await advance(75_000);
      holds('extensions do not add up', idsOf(await reserveAll(other)), ['a']);
    },
  },
  {
    name: 'lease: extend can bring the end nearer',
    async run({ connector, other, advance }) {
      await connector.push('q', jobs(1));
      const { lease } = await reserveOne(connector, 'q', 600_000);
      holds('extend answers true', await connector.extend([lease], 20_000), [true]);
      await advance(60_000);
      holds('extend sets the end, also to an earlier one', idsOf(await reserveAll(other)), ['job-0']);
    },
  },
  {
    name: 'lease: extend changes neither attempts nor the token',
    async run({ connector, other }) {
      const { lease } = await pushAndReserve(connector);
      await connector.extend([lease], leaseMs);
      await connector.release([{ lease, delayMs: 0 }]);
      holds('extend spends no attempt', (await reserveOne(other)).attempts, 2);
    },
  },
  {
    name: 'lease: each lease lapses by itself',
    async run({ connector, other, advance }) {
      await connector.push('q', jobs(3));
      const [, second] = await reserveAll(connector);
      await advance(40_000);
      if (second) await connector.extend([second.lease], 60_000);
      await advance(40_000);
      const ids = idsOf(await reserveAll(other)).sort();
      holds('extending one lease extends no other', ids, ['job-0', 'job-2']);
    },
  },
  {
    name: 'lease: a released job does not come a second time when its old lease would have lapsed',
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector);
      await connector.release([{ lease, delayMs: 0 }]);
      const { lease: next } = await reserveOne(other);
      await other.extend([next], 600_000);
      await advance(pastLeaseMs);
      holds('a settled lease does not lapse', await reserveAll(connector), []);
      holds('the new holder keeps the job', await other.delete([next]), [true]);
      await holdsSize('nothing is left', connector, {});
    },
  },
  {
    name: 'lease: a deleted job never comes again',
    async run({ connector, advance }) {
      const { lease } = await pushAndReserve(connector);
      await connector.delete([lease]);
      await advance(pastLeaseMs);
      holds('a deleted job is gone', await reserveAll(connector), []);
      await holdsSize('a deleted job is counted nowhere', connector, {});
    },
  },
  {
    name: 'lease: is plain data, and any connector of the store can settle with it',
    async run({ connector, other }) {
      await connector.push('q', jobs(2));
      const leases = (await reserveAll(connector)).map(({ lease }) => lease);
      const copies = JSON.parse(JSON.stringify(leases)) as typeof leases;
      holds('extend takes a copied lease', await other.extend(copies, leaseMs), [true, true]);
      holds('delete takes a copied lease', await other.delete(copies), [true, true]);
      holds('the first holder has lost it', await connector.delete(leases), [false, false]);
    },
  },
  {
    name: 'lease: one that unreserve gave back does not lapse',
    needs: ['unreserve'],
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector);
      await offered(connector).unreserve([lease]);
      const next = await reserveOne(other, 'q', 600_000);
      await advance(pastLeaseMs);
      holds('a lease that was given back is over', await reserveAll(connector), []);
      holds('the new holder keeps the job', await other.delete([next.lease]), [true]);
    },
  },
];
