import type { Connector, ReservedJob } from '../../../src/index.js';
import type { ConformanceCase } from '../harness.js';
import {
  holds,
  holdsSize,
  idsOf,
  job,
  jobs,
  leaseMs,
  lookWhile,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
} from '../steps.js';

/** Many reserves of two connectors at the same time. */
async function reserveTogether(
  one: Connector,
  two: Connector,
  calls: number,
  limit: number,
): Promise<ReservedJob[]> {
  const reserving = Array.from({ length: calls }, (_, index) =>
    (index % 2 === 0 ? one : two).reserve(['q'], limit, leaseMs),
  );
  return (await Promise.all(reserving)).flat();
}

/** What holds when calls overlap. */
export const concurrencyCases: readonly ConformanceCase[] = [
  {
    name: 'concurrency: overlapping reserves never share a job',
    async run({ connector, other }) {
      await connector.push('q', jobs(100));
      const taken = await reserveTogether(connector, other, 40, 3);
      holds('no job is handed to two reserves', idsOf(taken).sort(), idsOf(jobs(100)).sort());
      holds(
        'each was delivered for the first time',
        taken.every(({ attempts }) => attempts === 1),
        true,
      );
      holds('each has a token of its own', new Set(taken.map(({ lease }) => lease.token)).size, 100);
      holds('each lease is held', await other.delete(taken.map(({ lease }) => lease)), Array(100).fill(true));
      await holdsSize('nothing is left', connector, {});
    },
  },
  {
    name: 'concurrency: overlapping reserves of one job hand it to one of them',
    async run({ connector, other }) {
      for (let round = 0; round < 10; round += 1) {
        await connector.push('q', [job(`job-${round}`)]);
        const taken = await reserveTogether(connector, other, 8, 1);
        holds('one job goes to one reserve', idsOf(taken), [`job-${round}`]);
      }
    },
  },
  {
    name: 'concurrency: overlapping reserves never share a lapsed job',
    async run({ connector, other, advance }) {
      await connector.push('q', jobs(30));
      await reserveAll(connector);
      await advance(pastLeaseMs);
      const taken = await reserveTogether(connector, other, 20, 2);
      holds('no lapsed job is handed to two reserves', idsOf(taken).sort(), idsOf(jobs(30)).sort());
      holds(
        'the takeover counts one attempt',
        taken.every(({ attempts }) => attempts === 2),
        true,
      );
    },
  },
  {
    name: 'concurrency: overlapping pushes of one id store one job',
    async run({ connector, other }) {
      const pushing = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? connector : other).push('q', [job('a'), job(`own-${index}`)]),
      );
      const outcomes = (await Promise.all(pushing)).map(([first]) => first).sort();
      holds('one push stores an id', outcomes, [...Array(9).fill('already-there'), 'stored']);
      await holdsSize('one job per id is stored', connector, { ready: 11 });
    },
  },
  {
    name: 'concurrency: one of two overlapping settling calls wins',
    async run({ connector, other }) {
      for (let round = 0; round < 10; round += 1) {
        const { lease } = await pushAndReserve(connector, `job-${round}`);
        const [[deleted], [released]] = await Promise.all([
          connector.delete([lease]),
          other.release([{ lease, delayMs: 0 }]),
        ]);
        holds('a lease settles its job one time', Number(deleted) + Number(released), 1);
        await holdsSize('what the winner said is what happened', connector, { ready: released ? 1 : 0 });
        await connector.clear('q');
      }
    },
  },
  {
    name: 'concurrency: a job that moves is always counted, and in one state',
    async run({ connector, other }) {
      await connector.push('q', jobs(20));
      await lookWhile(moveAbout(connector, 20), async () => {
        const { ready, delayed, reserved } = await other.size('q');
        holds('a job is in one of ready, delayed and reserved', ready + delayed + reserved, 20);
      });
    },
  },
  {
    name: 'concurrency: reserves that overlap with pushes lose and double nothing',
    async run({ connector, other }) {
      const taken: string[] = [];
      const pushing = Array.from({ length: 20 }, (_, index) =>
        connector.push('q', jobs(10, `batch-${index}-`)),
      );
      const reserving = Array.from({ length: 20 }, async () => {
        taken.push(...idsOf(await other.reserve(['q'], 7, leaseMs)));
      });
      await Promise.all([...pushing, ...reserving]);
      taken.push(...idsOf(await reserveAll(connector)));
      holds('every job pushed comes', taken.length, 200);
      holds('no job comes twice', new Set(taken).size, 200);
    },
  },
];

async function moveAbout(connector: Connector, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const held = await connector.reserve(['q'], 7, leaseMs);
    await connector.extend(
      held.map(({ lease }) => lease),
      leaseMs,
    );
    await connector.release(held.map(({ lease }, index) => ({ lease, delayMs: index * 10_000 })));
    // Lets the other connector look in between, also where a verb takes no time at all.
    await new Promise(setImmediate);
  }
}
