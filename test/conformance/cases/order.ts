import type { ConformanceCase } from '../harness.js';
import { holds, idsOf, job, jobs, leaseMs, offered, reserveAll, reserveOne } from '../steps.js';

/** Which job comes first. */
export const orderCases: readonly ConformanceCase[] = [
  {
    name: 'order: jobs come in the order of their pushes',
    async run({ connector, other }) {
      await connector.push('q', [job('c'), job('a')]);
      await other.push('q', [job('d')]);
      await connector.push('q', [job('b')]);
      holds('jobs due together come in push order', idsOf(await reserveAll(connector)), ['c', 'a', 'd', 'b']);
    },
  },
  {
    name: 'order: one at a time, the same order',
    async run({ connector }) {
      await connector.push('q', jobs(20));
      const ids: string[] = [];
      for (let taken = 0; taken < 20; taken += 1) ids.push((await reserveOne(connector)).id);
      holds('jobs come in push order one by one', ids, idsOf(jobs(20)));
    },
  },
  {
    name: 'order: jobs of one delay become due in the order given',
    async run({ connector, advance }) {
      await connector.push('q', jobs(100, 'job-', { delayMs: 20_000 }));
      await advance(30_000);
      holds('ties of due time come in push order', idsOf(await reserveAll(connector)), idsOf(jobs(100)));
    },
  },
  {
    name: 'order: the job due longest comes first, whatever was pushed first',
    async run({ connector, advance }) {
      await connector.push('q', [job('late', { delayMs: 40_000 }), job('early', { delayMs: 20_000 })]);
      await connector.push('q', [job('first')]);
      await advance(60_000);
      await connector.push('q', [job('last')]);
      const ids = idsOf(await reserveAll(connector));
      holds('the job due longest comes first', ids, ['first', 'early', 'late', 'last']);
    },
  },
  {
    name: 'order: a due time in the past means now and passes nobody',
    async run({ connector, advance }) {
      await connector.push('q', [job('a')]);
      await advance(5_000);
      await connector.push('q', [job('b', { availableAtMs: 1 }), job('c')]);
      const ids = idsOf(await reserveAll(connector));
      holds('availableAtMs in the past means now', ids, ['a', 'b', 'c']);
    },
  },
  {
    name: 'order: a released job waits behind those that were due before',
    async run({ connector, advance }) {
      await connector.push('q', jobs(3));
      const { lease } = await reserveOne(connector);
      await advance(5_000);
      await connector.release([{ lease, delayMs: 0 }]);
      const ids = idsOf(await reserveAll(connector));
      holds('a released job is due from its release', ids, ['job-1', 'job-2', 'job-0']);
    },
  },
  {
    name: 'order: an unreserved job gets its place back',
    needs: ['unreserve'],
    async run({ connector, advance }) {
      await connector.push('q', jobs(4));
      const held = await connector.reserve(['q'], 3, leaseMs);
      await advance(5_000);
      await connector.push('q', [job('new')]);
      await offered(connector).unreserve(held.slice(1).map(({ lease }) => lease));
      const ids = idsOf(await reserveAll(connector));
      holds('unreserve keeps the place in the order', ids, ['job-1', 'job-2', 'job-3', 'new']);
    },
  },
  {
    name: 'order: 20,000 jobs that become due at once keep their order in batches',
    async run({ connector, advance }) {
      const all = jobs(20_000, 'job-', { delayMs: 20_000 });
      for (let from = 0; from < all.length; from += 1000) {
        await connector.push('q', all.slice(from, from + 1000));
      }
      await advance(600_000);
      for (let from = 0; from < all.length; from += 1000) {
        const ids = idsOf(await reserveAll(connector));
        holds(`batch ${from / 1000} of 20 comes in push order`, ids, idsOf(all.slice(from, from + 1000)));
      }
      holds('no job comes twice', idsOf(await reserveAll(connector)), []);
    },
  },
];
