import assert from 'node:assert/strict';
import type { ConformanceCase } from '../harness.js';
import {
  failedRecord,
  holds,
  holdsSize,
  idsOf,
  job,
  jobs,
  lookWhile,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

/** What a push stores, answers and leaves alone. */
export const pushCases: readonly ConformanceCase[] = [
  {
    name: 'push: answers stored per job, and the jobs are there',
    async run({ connector }) {
      const outcomes = await connector.push('q', [job('a'), job('b')]);
      holds('push answers per job', outcomes, ['stored', 'stored']);
      await holdsSize('push stores every job', connector, { ready: 2 });
    },
  },
  {
    name: 'push: no jobs is no error',
    async run({ connector }) {
      holds('push of no jobs answers an empty list', await connector.push('q', []), []);
      await holdsSize('push of no jobs stores none', connector, {});
    },
  },
  {
    name: 'push: the other connectors of the store see the jobs',
    async run({ connector, other }) {
      await connector.push('q', [job('a')]);
      holds('a pushed job can be reserved through every connector', (await reserveOne(other)).id, 'a');
    },
  },
  {
    name: 'push: a batch of 1,000 is stored whole',
    async run({ connector }) {
      const batch = jobs(1000);
      const outcomes = await connector.push('q', batch);
      holds('push answers per job of a large batch', outcomes, Array(1000).fill('stored'));
      await holdsSize('push stores all jobs of a large batch', connector, { ready: 1000 });
      const bodies = (await reserveAll(connector)).map(({ body }) => body);
      holds('push stores every job of a large batch as it was given', bodies, bodiesOf(batch));
    },
  },
  {
    name: 'push: others see all jobs of a batch or none',
    async run({ connector, other }) {
      await lookWhile(connector.push('q', jobs(1000)), async () => {
        const { ready } = await other.size('q');
        assert.ok(ready === 0 || ready === 1000, `push is one operation: ${ready} of 1000 jobs were there`);
      });
    },
  },
  {
    name: 'push: a batch that is refused stores none of its jobs',
    async run({ connector }) {
      // A job that cannot be read stands for whatever may go wrong at the end of a batch.
      const unreadable = {
        id: 'unreadable',
        get body(): string {
          throw new Error('this body cannot be read');
        },
      };
      const pushing = connector.push('q', [...jobs(1000), unreadable]);
      await assert.rejects(pushing, 'push rejects when one of its jobs cannot be stored');
      await holdsSize('push stores all jobs or none', connector, {});
      await connector.push('q', [job('job-0')]);
      await holdsSize('a refused push leaves its ids free', connector, { ready: 1 });
    },
  },
  {
    name: 'push: repeated in full, nothing is stored twice',
    async run({ connector, other }) {
      await connector.push('q', jobs(50));
      const outcomes = await other.push('q', jobs(50));
      holds('a repeated push answers already-there', outcomes, Array(50).fill('already-there'));
      await holdsSize('a repeated push stores nothing', connector, { ready: 50 });
    },
  },
  {
    name: 'push: new jobs are stored beside those already there',
    async run({ connector }) {
      await connector.push('q', [job('b')]);
      const outcomes = await connector.push('q', [job('a'), job('b'), job('c')]);
      holds('push answers in the order given', outcomes, ['stored', 'already-there', 'stored']);
      await holdsSize('push stores the new jobs of a batch', connector, { ready: 3 });
    },
  },
  {
    name: 'push: an id that stands twice in a batch is stored with the first',
    async run({ connector }) {
      const outcomes = await connector.push('q', [job('a', { body: '1' }), job('a', { body: '2' })]);
      holds('an id is unique within a batch too', outcomes, ['stored', 'already-there']);
      holds('the first job of an id is kept', bodiesOf(await reserveAll(connector)), ['1']);
    },
  },
  {
    name: 'push: an id that nobody chose is unique within a batch, and free after it',
    async run({ connector }) {
      const generated = job('a', { unique: false });
      holds('an id is unique within a batch', await connector.push('q', [generated, generated]), [
        'stored',
        'already-there',
      ]);
      await connector.delete([(await reserveOne(connector)).lease]);
      holds('a generated id is free once deleted', await connector.push('q', [generated]), ['stored']);
    },
  },
  {
    name: 'push: an id is already there while its job is ready',
    async run({ connector }) {
      await connector.push('q', [job('a', { body: '"first"' })]);
      const outcomes = await connector.push('q', [job('a', { body: '"second"', delayMs: 60_000 })]);
      holds('the id of a ready job is taken', outcomes, ['already-there']);
      await holdsSize('a push that finds the id changes nothing', connector, { ready: 1 });
      holds('a push that finds the id leaves the body', (await reserveOne(connector)).body, '"first"');
    },
  },
  {
    name: 'push: an id is already there while its job is delayed',
    async run({ connector }) {
      await connector.push('q', [job('a', { delayMs: 60_000 })]);
      holds('the id of a delayed job is taken', await connector.push('q', [job('a')]), ['already-there']);
      await holdsSize('a push that finds the id leaves the due time', connector, { delayed: 1 });
    },
  },
  {
    name: 'push: an id is already there while its job is reserved',
    async run({ connector, other }) {
      const { lease } = await pushAndReserve(connector);
      holds('the id of a reserved job is taken', await other.push('q', [job('a')]), ['already-there']);
      await holdsSize('a push that finds the id stores nothing', connector, { reserved: 1 });
      holds('a push that finds the id leaves the lease', await connector.delete([lease]), [true]);
      await holdsSize('nothing of the second push is left', connector, {});
    },
  },
  {
    name: 'push: an id is already there while its job has a lapsed lease',
    async run({ connector, other, advance }) {
      await pushAndReserve(connector);
      await advance(pastLeaseMs);
      holds('the id of a lapsed job is taken', await other.push('q', [job('a')]), ['already-there']);
      await holdsSize('a push that finds the id stores nothing', connector, { ready: 1 });
      holds('a push that finds the id leaves attempts', (await reserveOne(connector)).attempts, 2);
    },
  },
  {
    name: 'push: an id is free again once its job was deleted',
    async run({ connector }) {
      const { lease } = await pushAndReserve(connector);
      await connector.delete([lease]);
      holds('a deleted id is free', await connector.push('q', [job('a')]), ['stored']);
      holds('a new job of an old id starts anew', (await reserveOne(connector)).attempts, 1);
    },
  },
  {
    name: 'push: an id is free again once its job was cleared',
    async run({ connector }) {
      await connector.push('q', [job('ready'), job('delayed', { delayMs: 60_000 })]);
      await connector.clear('q');
      await pushAndReserve(connector, 'reserved');
      await connector.clear('q', { reserved: true });
      const outcomes = await connector.push('q', [job('ready'), job('delayed'), job('reserved')]);
      holds('a cleared id is free', outcomes, ['stored', 'stored', 'stored']);
      await holdsSize('jobs of freed ids are stored', connector, { ready: 3 });
    },
  },
  {
    name: 'push: an id in one queue says nothing about another queue',
    async run({ connector }) {
      await connector.push('q', [job('a')]);
      holds('ids are unique per queue', await connector.push('other', [job('a')]), ['stored']);
      const { lease } = await reserveOne(connector, 'other');
      await connector.delete([lease]);
      await holdsSize('the job of the same id in another queue stays', connector, { ready: 1 });
    },
  },
  {
    name: 'push: ids and queues are told apart by every character',
    async run({ connector }) {
      const ids = ['a', 'A', '1', '01', '1.0', '1e0', '0x1', 'null', 'NaN', '__proto__', 'constructor'];
      ids.push('-', '.', ':', '_', 'a:b', 'a_b', 'a.b', 'x'.repeat(64));
      const outcomes = await connector.push(
        'q',
        ids.map((id) => job(id)),
      );
      holds(
        'ids are compared character by character',
        outcomes,
        ids.map(() => 'stored'),
      );
      holds('ids come back as they were given', idsOf(await reserveAll(connector)), ids);

      const queues = [
        'mail',
        'Mail',
        '__proto__',
        'constructor',
        'a:b',
        'a.b',
        'a_b',
        '1',
        '01',
        'n'.repeat(120),
      ];
      for (const queue of queues) await connector.push(queue, [job(queue.slice(0, 64))]);
      for (const queue of queues) {
        const reserved = await reserveAll(connector, queue);
        holds(`queue ${queue} holds its own jobs`, idsOf(reserved), [queue.slice(0, 64)]);
        holds('a reserved job names its queue', reserved[0]?.queue, queue);
      }
    },
  },
  {
    name: 'push: an id is free again once its job failed',
    needs: ['fail', 'failedJobs'],
    async run({ connector }) {
      const held = await pushAndReserve(connector);
      await offered(connector).fail([{ lease: held.lease, record: failedRecord(held) }]);
      holds('the id of a failed job is free', await connector.push('q', [job('a')]), ['stored']);
      await holdsSize('a job of a failed id is stored', connector, { ready: 1 });
    },
  },
];

function bodiesOf(list: readonly { readonly body: string }[]): string[] {
  return list.map(({ body }) => body);
}
