import type { Capability, ConformanceCase } from '../harness.js';
import { holds, holdsSize, idsOf, job, jobs, leaseMs, offered, pastLeaseMs, reserveAll } from '../steps.js';

const needs: readonly Capability[] = ['deleteAndReserve'];

/** Being done and wanting more, in one trip; what it does to a lost lease is under fencing. */
export const deleteAndReserveCases: readonly ConformanceCase[] = [
  {
    name: 'deleteAndReserve: done jobs go, the next come under leases of their own',
    needs,
    async run({ connector, other, advance }) {
      await connector.push('q', jobs(5));
      const done = await connector.reserve(['q'], 2, leaseMs);
      const leases = done.map(({ lease }) => lease);
      const answer = await offered(connector).deleteAndReserve(leases, ['q'], 2, leaseMs);
      holds('each lease that was held is answered true', answer.held, [true, true]);
      holds('the next jobs come in their order', idsOf(answer.jobs), idsOf(jobs(5)).slice(2, 4));
      holds('they come with an attempt', answer.jobs[0]?.attempts, 1);
      await holdsSize('done jobs are gone, the next reserved', connector, { ready: 1, reserved: 2 });
      await advance(pastLeaseMs);
      holds('the leases are as long as asked for', (await reserveAll(other)).length, 3);
    },
  },
  {
    name: 'deleteAndReserve: short and long bodies of several queues come each with its job',
    needs,
    async run({ connector }) {
      const body = (length: number) => JSON.stringify({ job: 'mail.send', data: 'x'.repeat(length) });
      const lengths = [1, 20_000, 900, 1100, 70_000, 2];
      const pushed = lengths.map((length, index) => job(`job-${index}`, { body: body(length) }));
      await connector.push('q', pushed.slice(0, 3));
      await connector.push('r', pushed.slice(3));
      const { jobs: taken } = await offered(connector).deleteAndReserve([], ['q', 'r'], 10, leaseMs);
      const found = taken.map((one) => [one.queue, one.id, one.body]);
      const expected = pushed.map((one, index) => [index < 3 ? 'q' : 'r', one.id, one.body]);
      holds('each comes with its queue, id and body, in order', found, expected);
    },
  },
  {
    name: 'deleteAndReserve: where one lease is lost the others count, and the next jobs come',
    needs,
    async run({ connector, other, advance }) {
      await connector.push('q', [job('a'), job('b')]);
      const [first] = await connector.reserve(['q'], 1, leaseMs / 2);
      const [second] = await connector.reserve(['q'], 1, leaseMs * 3);
      await advance(leaseMs);
      await other.reserve(['q'], 1, leaseMs * 3);
      await connector.push('r', [job('c')]);
      const leases = [first, second].flatMap((one) => (one ? [one.lease] : []));
      const answer = await offered(connector).deleteAndReserve(leases, ['q', 'r'], 5, leaseMs);
      holds('a lost lease is answered false, in its place', answer.held, [false, true]);
      holds('jobs of later queues come too', idsOf(answer.jobs), ['c']);
      await holdsSize('the job of another holder stays', connector, { reserved: 1 });
    },
  },
  {
    name: 'deleteAndReserve: a job is not handed out by the call that deletes it, and its id is free',
    needs,
    async run({ connector, advance }) {
      await connector.push('q', [job('a')]);
      const [held] = await connector.reserve(['q'], 1, leaseMs);
      await advance(pastLeaseMs);
      if (!held) throw new Error('nothing was reserved');
      const answer = await offered(connector).deleteAndReserve([held.lease], ['q'], 1, leaseMs);
      // A lapsed lease may be lost or not; the two answers must agree.
      holds('either the job goes or it comes again', answer.jobs.length, answer.held[0] ? 0 : 1);
      await offered(connector).deleteAndReserve(
        answer.jobs.map(({ lease }) => lease),
        ['q'],
        1,
        leaseMs,
      );
      holds('the id of a deleted job is free', await connector.push('q', [job('a')]), ['stored']);
    },
  },
  {
    name: 'deleteAndReserve: without leases it reserves, without jobs it deletes',
    needs,
    async run({ connector }) {
      await connector.push('q', [job('a')]);
      const { held, jobs: taken } = await offered(connector).deleteAndReserve([], ['q'], 1, leaseMs);
      holds('no leases, no answers', [held, idsOf(taken)], [[], ['a']]);
      const leases = taken.map(({ lease }) => lease);
      const last = await offered(connector).deleteAndReserve(leases, ['q'], 1, leaseMs);
      holds('an empty queue gives no jobs', [last.held, last.jobs], [[true], []]);
      await holdsSize('nothing is left', connector, {});
    },
  },
];
