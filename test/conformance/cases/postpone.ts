import type { Capability, ConformanceCase } from '../harness.js';
import {
  holds,
  holdsSize,
  idsOf,
  job,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

const needs: readonly Capability[] = ['postpone'];

/** Putting jobs off that were not started; what it does to a lost lease is under fencing. */
export const postponeCases: readonly ConformanceCase[] = [
  {
    name: 'postpone: the job is due after its delay, not before, with the attempt unspent',
    needs,
    async run({ connector, other, advance }) {
      const held = await pushAndReserve(connector);
      const answers = await offered(connector).postpone([{ lease: held.lease, delayMs: 60_000 }]);
      holds('postpone answers true where the lease is held', answers, [true]);
      await holdsSize('a postponed job is delayed', connector, { delayed: 1 });
      await advance(30_000);
      holds('a postponed job is not due before its delay', await reserveAll(connector), []);
      await advance(45_000);
      const again = await reserveOne(other);
      holds('a postponed job stays as it was', [again.id, again.body], [held.id, held.body]);
      holds('postpone spends no attempt', again.attempts, 1);
    },
  },
  {
    name: 'postpone: attempts that were spent before stay spent, however often it is postponed',
    needs,
    async run({ connector, advance }) {
      const { lease } = await pushAndReserve(connector);
      await connector.release([{ lease, delayMs: 0 }]);
      await reserveOne(connector);
      await advance(pastLeaseMs);
      for (let time = 0; time < 3; time++) {
        const third = await reserveOne(connector);
        holds('postpone gives back one attempt each time', third.attempts, 3);
        await offered(connector).postpone([{ lease: third.lease, delayMs: 1_000 }]);
        await advance(3_000);
      }
    },
  },
  {
    name: 'postpone: each job has its own delay, and its place behind those that are due',
    needs,
    async run({ connector, advance }) {
      await connector.push('q', [job('late'), job('soon'), job('waits')]);
      const [late, soon] = await connector.reserve(['q'], 2, 60_000);
      if (!late || !soon) throw new Error('two jobs were to be reserved');
      const answers = await offered(connector).postpone([
        { lease: late.lease, delayMs: 60_000 },
        { lease: soon.lease, delayMs: 5_000 },
      ]);
      holds('postpone answers per lease', answers, [true, true]);
      holds('a postponed job is in nobody’s way', idsOf(await reserveAll(connector)), ['waits']);
      await advance(10_000);
      holds('a postponed job is due after its own delay', idsOf(await reserveAll(connector)), ['soon']);
    },
  },
  {
    name: 'postpone: repeated, it takes the job from nobody',
    needs,
    async run({ connector, other }) {
      const { lease } = await pushAndReserve(connector);
      await offered(connector).postpone([{ lease, delayMs: 0 }]);
      await reserveOne(other);
      const answers = await offered(connector).postpone([{ lease, delayMs: 0 }]);
      holds('a repeated postpone answers false', answers, [false]);
      await holdsSize('a repeated postpone changes nothing', connector, { reserved: 1 });
    },
  },
];
