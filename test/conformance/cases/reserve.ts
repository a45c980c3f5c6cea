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

/** What a reserve takes, and what it says of it. */
export const reserveCases: readonly ConformanceCase[] = [
  {
    name: 'reserve: says everything about the job',
    async run({ connector }) {
      await connector.push('q', [job('a', { body: '{"job":"mail.send"}' })]);
      const { lease, exceptions = 0, ...rest } = await reserveOne(connector);
      const expected = { id: 'a', queue: 'q', body: '{"job":"mail.send"}', attempts: 1 };
      holds('a reserved job carries id, queue, body and attempts', rest, expected);
      holds('a new job has thrown nothing', exceptions, 0);
      holds('a lease names its queue', lease.queue, 'q');
      holds('a lease has a token', typeof lease.token === 'string' && lease.token.length > 0, true);
    },
  },
  {
    name: 'reserve: nothing due is an empty list',
    async run({ connector }) {
      holds('reserve of a queue never seen answers []', await reserveAll(connector), []);
      await connector.push('q', [job('a', { delayMs: 60_000 })]);
      holds('reserve with nothing due answers []', await reserveAll(connector), []);
    },
  },
  {
    name: 'reserve: takes no more than the limit',
    async run({ connector }) {
      await connector.push('q', jobs(5));
      holds('reserve takes none with a limit of 0', await connector.reserve(['q'], 0, leaseMs), []);
      const some = await connector.reserve(['q'], 2, leaseMs);
      holds('reserve takes up to limit jobs', idsOf(some), ['job-0', 'job-1']);
      await holdsSize('reserve leaves what is beyond the limit', connector, { ready: 3, reserved: 2 });
      const rest = await connector.reserve(['q'], 10, leaseMs);
      holds('reserve takes what there is', idsOf(rest), ['job-2', 'job-3', 'job-4']);
    },
  },
  {
    name: 'reserve: a reserved job is not handed out again',
    async run({ connector, other, advance }) {
      await pushAndReserve(connector);
      holds('a reserved job is kept from others', await reserveAll(other), []);
      await advance(leaseMs / 2);
      holds('a reserved job is kept until its lease lapses', await reserveAll(other), []);
      await holdsSize('a reserved job counts as reserved', connector, { reserved: 1 });
    },
  },
  {
    name: 'reserve: a delayed job comes when its delay is over, not before',
    async run({ connector, advance }) {
      await connector.push('q', [job('a', { delayMs: 60_000 })]);
      await advance(30_000);
      holds('a delayed job is not due before its delay', await reserveAll(connector), []);
      await advance(45_000);
      holds('a delayed job is due after its delay', idsOf(await reserveAll(connector)), ['a']);
    },
  },
  {
    name: 'reserve: a job for a point in time comes then, not before',
    async run({ connector, advance, now }) {
      await connector.push('q', [job('a', { availableAtMs: (await now()) + 60_000 })]);
      await holdsSize('a job for later is delayed', connector, { delayed: 1 });
      await advance(30_000);
      holds('a job is not due before availableAtMs', await reserveAll(connector), []);
      await advance(45_000);
      holds('a job is due from availableAtMs on', idsOf(await reserveAll(connector)), ['a']);
    },
  },
  {
    name: 'reserve: earlier queues come first, also before older jobs',
    async run({ connector, advance }) {
      await connector.push('low', jobs(2, 'low-'));
      await advance(5_000);
      await connector.push('high', jobs(2, 'high-'));
      const taken = await connector.reserve(['high', 'low'], 3, leaseMs);
      holds('earlier queues come first', idsOf(taken), ['high-0', 'high-1', 'low-0']);
      holds(
        'a reserved job names the queue it came from',
        taken.map(({ queue }) => queue),
        ['high', 'high', 'low'],
      );
    },
  },
  {
    name: 'reserve: the delayed jobs of an earlier queue hold up nobody',
    async run({ connector }) {
      await connector.push('high', [job('later', { delayMs: 60_000 })]);
      await connector.push('low', [job('now')]);
      const taken = await connector.reserve(['high', 'empty', 'low'], 2, leaseMs);
      holds('only due jobs of an earlier queue come first', idsOf(taken), ['now']);
    },
  },
  {
    name: 'reserve: takes only from the queues named',
    async run({ connector }) {
      await connector.push('q', [job('a')]);
      await connector.push('other', [job('b')]);
      holds('queues are independent', idsOf(await connector.reserve(['q'], 10, leaseMs)), ['a']);
      holds('reserve from no queue takes nothing', await connector.reserve([], 10, leaseMs), []);
      await holdsSize('the other queue is left alone', connector, { ready: 1 }, 'other');
    },
  },
  {
    name: 'reserve: attempts count every delivery',
    async run({ connector, other, advance }) {
      await connector.push('q', [job('a')]);
      const attempts: number[] = [];
      for (let round = 0; round < 2; round += 1) {
        const held = await reserveOne(connector);
        await connector.extend([held.lease], leaseMs);
        await connector.release([{ lease: held.lease, delayMs: 0 }]);
        const lapsing = await reserveOne(other);
        await advance(pastLeaseMs);
        attempts.push(held.attempts, lapsing.attempts);
      }
      holds('attempts rise with each reserve, after a release and a lapse', attempts, [1, 2, 3, 4]);
    },
  },
  {
    name: 'reserve: attempts of one job are not those of another',
    async run({ connector }) {
      const { lease } = await pushAndReserve(connector, 'a');
      await connector.release([{ lease, delayMs: 0 }]);
      await connector.push('q', [job('b')]);
      const attempts = (await reserveAll(connector)).map((one) => [one.id, one.attempts]).sort();
      holds('each job has its own attempts', attempts, [
        ['a', 2],
        ['b', 1],
      ]);
    },
  },
  {
    name: 'reserve: lease tokens are never used again',
    async run({ connector, advance }) {
      await connector.push('q', jobs(10));
      const tokens: string[] = [];
      for (let round = 0; round < 20; round += 1) {
        const held = await reserveAll(connector);
        tokens.push(...held.map(({ lease }) => lease.token));
        if (round % 2 === 0) await connector.release(held.map(({ lease }) => ({ lease, delayMs: 0 })));
        else await advance(pastLeaseMs);
      }
      holds('each of 20 rounds takes all 10 jobs', tokens.length, 200);
      holds('every reserve mints a fresh token per job', new Set(tokens).size, 200);
    },
  },
  {
    name: 'reserve: a token is fresh although id and attempts are the same',
    needs: ['unreserve'],
    async run({ connector }) {
      await connector.push('q', [job('a')]);
      const tokens: string[] = [];
      for (let round = 0; round < 50; round += 1) {
        const { lease, attempts } = await reserveOne(connector);
        holds('unreserve gives the attempt back', attempts, 1);
        tokens.push(lease.token);
        await offered(connector).unreserve([lease]);
      }
      holds('a token is never used again for the same id and attempts', new Set(tokens).size, 50);
    },
  },
];
