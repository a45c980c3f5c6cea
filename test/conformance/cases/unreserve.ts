import type { Capability, ConformanceCase } from '../harness.js';
import {
  holds,
  holdsSize,
  idsOf,
  job,
  jobs,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

const needs: readonly Capability[] = ['unreserve'];

/** Giving prefetched jobs back; what it does to a lost lease is under fencing. */
export const unreserveCases: readonly ConformanceCase[] = [
  {
    name: 'unreserve: the job is due at once with the attempt unspent',
    needs,
    async run({ connector, other }) {
      const held = await pushAndReserve(connector);
      const answers = await offered(connector).unreserve([held.lease]);
      holds('unreserve answers true where the lease is held', answers, [true]);
      await holdsSize('an unreserved job is ready', connector, { ready: 1 });
      const again = await reserveOne(other);
      holds('an unreserved job stays as it was', [again.id, again.body], [held.id, held.body]);
      holds('unreserve spends no attempt', again.attempts, 1);
    },
  },
  {
    name: 'unreserve: attempts that were spent before stay spent',
    needs,
    async run({ connector, advance }) {
      const { lease } = await pushAndReserve(connector);
      await connector.release([{ lease, delayMs: 0 }]);
      await reserveOne(connector);
      await advance(pastLeaseMs);
      const third = await reserveOne(connector);
      await offered(connector).unreserve([third.lease]);
      const again = await reserveOne(connector);
      holds('unreserve gives back one attempt', [third.attempts, again.attempts], [3, 3]);
    },
  },
  {
    name: 'unreserve: repeated, it takes the job from nobody',
    needs,
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector);
      await offered(connector).unreserve([lease]);
      const next = await reserveOne(other);
      const answers = await offered(connector).unreserve([lease]);
      holds('a repeated unreserve answers false', answers, [false]);
      await holdsSize('a repeated unreserve changes nothing', connector, { reserved: 1 });
      holds('a repeated unreserve frees no job of another', await reserveAll(connector), []);
      await advance(pastLeaseMs);
      holds('a repeated unreserve spends or gives no attempt', (await reserveOne(other)).attempts, 2);
      holds('ids agree', next.id, 'a');
    },
  },
  {
    name: 'unreserve: a job that was due longest is first again',
    needs,
    async run({ connector, advance }) {
      await connector.push('q', [job('older')]);
      await advance(5_000);
      await connector.push('q', [job('newer')]);
      const { lease } = await reserveOne(connector);
      await advance(5_000);
      await offered(connector).unreserve([lease]);
      holds('unreserve keeps the due time', idsOf(await reserveAll(connector)), ['older', 'newer']);
    },
  },
  {
    name: 'unreserve: a batch of 1,000 keeps its order',
    needs,
    async run({ connector }) {
      await connector.push('q', jobs(1000));
      const held = await reserveAll(connector);
      const answers = await offered(connector).unreserve(held.toReversed().map(({ lease }) => lease));
      holds('unreserve answers per lease', answers, Array(1000).fill(true));
      const again = await reserveAll(connector);
      holds('unreserve keeps push order', idsOf(again), idsOf(held));
      holds(
        'unreserve gives every attempt back',
        again.every(({ attempts }) => attempts === 1),
        true,
      );
    },
  },
];
