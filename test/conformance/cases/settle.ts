import type { ConformanceCase } from '../harness.js';
import { type SettlingVerb, settlingVerbs } from '../settling-verbs.js';
import { holds, holdsSize, idsOf, job, jobs, pushAndReserve, reserveAll, reserveOne } from '../steps.js';

/** Delete and release, and what all settling verbs have in common. */
export const settleCases: readonly ConformanceCase[] = [
  {
    name: 'delete: removes the job',
    async run({ connector }) {
      const { lease } = await pushAndReserve(connector);
      holds('delete answers true where the lease is held', await connector.delete([lease]), [true]);
      await holdsSize('a deleted job is gone', connector, {});
    },
  },
  {
    name: 'delete: removes that job and no other',
    async run({ connector }) {
      await connector.push('q', jobs(4));
      const [, second] = await connector.reserve(['q'], 3, 60_000);
      if (second) await connector.delete([second.lease]);
      await holdsSize('delete leaves the other jobs', connector, { ready: 1, reserved: 2 });
      holds('the id of the deleted job is free', await connector.push('q', [job('job-1')]), ['stored']);
    },
  },
  {
    name: 'delete: a batch of 1,000',
    async run({ connector }) {
      await connector.push('q', jobs(1000));
      const leases = (await reserveAll(connector)).map(({ lease }) => lease);
      holds('delete answers per lease', await connector.delete(leases), Array(1000).fill(true));
      await holdsSize('delete removes the whole batch', connector, {});
    },
  },
  {
    name: 'release: without a delay the job is due at once, with the attempt spent',
    async run({ connector, other }) {
      const held = await pushAndReserve(connector);
      const released = await connector.release([{ lease: held.lease, delayMs: 0 }]);
      holds('release answers true where the lease is held', released, [true]);
      await holdsSize('a released job is ready', connector, { ready: 1 });
      const again = await reserveOne(other);
      holds('a released job stays as it was', [again.id, again.body], [held.id, held.body]);
      holds('release spends the attempt', again.attempts, 2);
    },
  },
  {
    name: 'release: with a delay the job is due after it, not before',
    async run({ connector, advance }) {
      const { lease } = await pushAndReserve(connector);
      await connector.release([{ lease, delayMs: 60_000 }]);
      await holdsSize('a job released with a delay is delayed', connector, { delayed: 1 });
      await advance(30_000);
      holds('a released job is not due before its delay', await reserveAll(connector), []);
      await advance(45_000);
      holds('a released job is due after its delay', idsOf(await reserveAll(connector)), ['a']);
    },
  },
  {
    name: 'release: each job has its own delay',
    async run({ connector, advance }) {
      await connector.push('q', jobs(3));
      const held = await reserveAll(connector);
      const delaysMs = [600_000, 0, 20_000];
      const releases = held.map(({ lease }, index) => ({ lease, delayMs: delaysMs[index] ?? 0 }));
      holds('release answers per lease', await connector.release(releases), [true, true, true]);
      await holdsSize('each delay counts for its job', connector, { ready: 1, delayed: 2 });
      await advance(60_000);
      const ids = idsOf(await reserveAll(connector));
      holds('released jobs come in the order of their due times', ids, ['job-1', 'job-2']);
    },
  },
  {
    name: 'release: a batch of 1,000',
    async run({ connector }) {
      await connector.push('q', jobs(1000));
      const held = await reserveAll(connector);
      const answers = await connector.release(held.map(({ lease }) => ({ lease, delayMs: 0 })));
      holds('release answers per lease', answers, Array(1000).fill(true));
      await holdsSize('release gives the whole batch back', connector, { ready: 1000 });
      const ids = new Set(idsOf(await reserveAll(connector)));
      holds('release loses and doubles no job', ids.size, 1000);
    },
  },
  {
    name: 'release: a lease named twice in one call gives one job back',
    async run({ connector }) {
      const { lease } = await pushAndReserve(connector);
      const releases = [lease, lease].map((one) => ({ lease: one, delayMs: 0 }));
      holds('the first of both was held', (await connector.release(releases))[0], true);
      await holdsSize('release doubles no job', connector, { ready: 1 });
    },
  },
  ...settlingVerbs.flatMap((verb) => [onNoLeases(verb), onMixedLeases(verb), acrossQueues(verb)]),
];

function onNoLeases({ name, needs, call }: SettlingVerb): ConformanceCase {
  return {
    name: `settle: ${name} of no leases is no error`,
    needs,
    async run({ connector }) {
      await pushAndReserve(connector);
      holds(`${name} of no leases answers []`, await call(connector, []), []);
      await holdsSize(`${name} of no leases changes nothing`, connector, { reserved: 1 });
    },
  };
}

function onMixedLeases({ name, needs, call }: SettlingVerb): ConformanceCase {
  return {
    name: `settle: ${name} answers per lease in the order given`,
    needs,
    async run({ connector, other }) {
      await connector.push('q', jobs(5));
      const held = await reserveAll(connector);
      const lost = [held[0], held[3]].flatMap((one) => (one ? [one.lease] : []));
      await connector.release(lost.map((lease) => ({ lease, delayMs: 0 })));
      await connector.reserve(['q'], 2, 60_000);
      const backwards = held.toReversed();
      const answers = await call(other, backwards);
      holds(`${name} answers per lease`, answers, [true, false, true, true, false]);
    },
  };
}

function acrossQueues({ name, needs, call }: SettlingVerb): ConformanceCase {
  return {
    name: `settle: ${name} takes leases of several queues in one call`,
    needs,
    async run({ connector }) {
      const queues = ['one', 'two', 'three'];
      for (const queue of queues) await connector.push(queue, [job('same-id')]);
      const held = await connector.reserve(queues, 10, 60_000);
      const chosen = held.filter(({ queue }) => queue !== 'two');
      holds(`${name} answers for every queue`, await call(connector, chosen), [true, true]);
      await holdsSize(`${name} leaves the same id in another queue`, connector, { reserved: 1 }, 'two');
    },
  };
}
