import assert from 'node:assert/strict';
import type { ConformanceCase } from '../harness.js';
import {
  holds,
  holdsSize,
  idsOf,
  job,
  jobs,
  leaseMs,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

/** Counting and emptying a queue. */
export const sizeAndClearCases: readonly ConformanceCase[] = [
  {
    name: 'size: an unknown queue is empty',
    async run({ connector }) {
      await holdsSize('an unknown queue has no jobs', connector, {});
    },
  },
  {
    name: 'size: counts by state, and per queue',
    async run({ connector, other }) {
      await connector.push('q', [...jobs(5), ...jobs(3, 'later-', { delayMs: 60_000 })]);
      await connector.push('other', jobs(4));
      await connector.reserve(['q'], 2, 60_000);
      await holdsSize('size counts by state', other, { ready: 3, delayed: 3, reserved: 2 });
      await holdsSize('size counts one queue', other, { ready: 4 }, 'other');
    },
  },
  {
    name: 'size: a delayed job that is due counts as ready',
    async run({ connector, advance }) {
      await connector.push('q', [job('a', { delayMs: 20_000 }), job('b', { delayMs: 600_000 })]);
      await advance(60_000);
      await holdsSize('a job that is due is ready', connector, { ready: 1, delayed: 1 });
    },
  },
  {
    name: 'size: a lapsed lease counts as ready',
    async run({ connector, advance }) {
      await connector.push('q', jobs(3));
      const [held] = await reserveAll(connector);
      if (held) await connector.extend([held.lease], 600_000);
      await advance(pastLeaseMs);
      await holdsSize('lapsed jobs are ready', connector, { ready: 2, reserved: 1 });
    },
  },
  {
    name: 'longestWaitMs: tells of the ready job that has been due longest, and of none where none is ready',
    needs: ['longestWaitMs'],
    async run({ connector, other, advance }) {
      holds('an empty queue has none', await offered(connector).longestWaitMs('q'), null);
      await connector.push('q', [job('later', { delayMs: 3_600_000 }), job('held')]);
      await connector.reserve(['q'], 1, 3_600_000);
      holds('delayed and reserved jobs wait for nobody', await offered(other).longestWaitMs('q'), null);
      await connector.push('q', [job('first')]);
      await advance(200_000);
      await connector.push('q', [job('second')]);
      await connector.push('other', [job('another')]);
      isAbout('the first has waited since it was pushed', await offered(other).longestWaitMs('q'), 200_000);
      isAbout('each queue has its own', await offered(other).longestWaitMs('other'), 0);
    },
  },
  {
    name: 'longestWaitMs: a job whose lease has lapsed has waited since then',
    needs: ['longestWaitMs'],
    async run({ connector, advance }) {
      await pushAndReserve(connector);
      await advance(leaseMs + 100_000);
      isAbout('since its lease lapsed', await offered(connector).longestWaitMs('q'), 100_000);
    },
  },
  {
    name: 'clear: removes ready and delayed jobs and leaves the reserved',
    async run({ connector, other }) {
      const { lease } = await pushAndReserve(connector, 'held');
      await connector.push('q', [...jobs(3), ...jobs(2, 'later-', { delayMs: 60_000 })]);
      const gone = await other.clear('q');
      holds('clear answers how many went', gone, { ready: 3, delayed: 2, reserved: 0 });
      await holdsSize('clear leaves reserved jobs', connector, { reserved: 1 });
      holds('the holder still has its lease', await connector.release([{ lease, delayMs: 0 }]), [true]);
      holds('a job that was reserved can come again', (await reserveOne(connector)).id, 'held');
    },
  },
  {
    name: 'clear: removes the reserved jobs when asked to, and their leases are lost',
    async run({ connector, other, advance }) {
      const { lease } = await pushAndReserve(connector, 'held');
      await connector.push('q', [...jobs(2), job('later', { delayMs: 60_000 })]);
      const gone = await other.clear('q', { reserved: true });
      holds('clear answers how many went', gone, { ready: 2, delayed: 1, reserved: 1 });
      await holdsSize('clear leaves nothing', connector, {});
      holds('a cleared job cannot be settled', await connector.delete([lease]), [false]);
      await advance(600_000);
      holds('a cleared job never comes', await reserveAll(connector), []);
    },
  },
  {
    name: 'clear: takes lapsed jobs as the ready jobs that they are',
    async run({ connector, advance }) {
      await pushAndReserve(connector);
      await advance(pastLeaseMs);
      holds('clear counts as size does', await connector.clear('q'), { ready: 1, delayed: 0, reserved: 0 });
      await holdsSize('a lapsed job is cleared', connector, {});
      holds('a cleared lapsed job never comes', await reserveAll(connector), []);
    },
  },
  {
    name: 'clear: leaves other queues alone',
    async run({ connector }) {
      for (const queue of ['q', 'q2', 'Q', 'q:delayed-mail']) await connector.push(queue, jobs(2));
      await connector.clear('q', { reserved: true });
      for (const queue of ['q2', 'Q', 'q:delayed-mail']) {
        await holdsSize(`clear of q leaves ${queue}`, connector, { ready: 2 }, queue);
      }
      const empty = { ready: 0, delayed: 0, reserved: 0 };
      holds('clear of an empty queue answers zeros', await connector.clear('q'), empty);
    },
  },
  {
    name: 'clear: the queue can be used again',
    async run({ connector }) {
      await connector.push('q', jobs(3));
      await connector.clear('q');
      await connector.push('q', jobs(2));
      holds('jobs pushed after a clear come', idsOf(await reserveAll(connector)), ['job-0', 'job-1']);
    },
  },
];

/** Real time passes as well: within a minute more, however slow the machine is. */
function isAbout(rule: string, waitedMs: number | null, expectedMs: number): void {
  assert.ok(
    waitedMs !== null && waitedMs >= expectedMs && waitedMs < expectedMs + 60_000,
    `${rule}: expected ${expectedMs} ms or little more, got ${waitedMs}`,
  );
}
