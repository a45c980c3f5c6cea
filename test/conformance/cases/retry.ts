import type { ConformanceCase, ConformanceHarness } from '../harness.js';
import {
  failedRecord,
  holds,
  holdsSize,
  idsOf,
  job,
  jobs,
  offered,
  reserveAll,
  reserveOne,
} from '../steps.js';

const needs = ['failedJobs', 'failedJobs.retry'] as const;

/** Records failures of jobs of queue `q`; answers their uuids. */
async function recordFailures({ connector }: ConformanceHarness, ...ids: string[]): Promise<string[]> {
  const records = ids.map((id) => failedRecord({ id, queue: 'q', body: job(id).body, attempts: 3 }));
  await offered(connector).failedJobs.record(records);
  return records.map(({ uuid }) => uuid);
}

/** Moving failed jobs back to their queues. */
export const retryCases: readonly ConformanceCase[] = [
  {
    name: 'retry: the job is due in its queue with no attempt spent, and its record is gone',
    needs,
    async run(harness) {
      const { connector, other } = harness;
      const uuids = await recordFailures(harness, 'a');
      holds('retry answers retried', await offered(connector).failedJobs.retry(uuids), ['retried']);
      holds('a retried record is gone', await offered(other).failedJobs.list(), []);
      await holdsSize('a retried job is ready', other, { ready: 1 });
      const { id, body, attempts } = await reserveOne(other);
      holds(
        'a retried job is what it was, unspent',
        { id, body, attempts },
        { id: 'a', body: job('a').body, attempts: 1 },
      );
    },
  },
  {
    name: 'retry: answers per uuid',
    needs,
    async run(harness) {
      const { connector } = harness;
      const [a = '', b = '', c = ''] = await recordFailures(harness, 'a', 'b', 'c');
      await connector.push('q', [job('b')]);
      const outcomes = await offered(connector).failedJobs.retry(['unknown', c, b, a]);
      holds('retry answers in the order given', outcomes, [
        'not-found',
        'retried',
        'already-there',
        'retried',
      ]);
      const kept = (await offered(connector).failedJobs.list()).map(({ uuid }) => uuid);
      holds('retry keeps the records that it did not move', kept, [b]);
      holds('retry moved the rest', idsOf(await reserveAll(connector)).sort(), ['a', 'b', 'c']);
      holds('retry of no uuid', await offered(connector).failedJobs.retry([]), []);
    },
  },
  {
    name: 'retry: repeated, it finds nothing and stores nothing',
    needs,
    async run(harness) {
      const { connector, other } = harness;
      const uuids = await recordFailures(harness, 'a');
      await offered(connector).failedJobs.retry(uuids);
      holds('a repeated retry answers not-found', await offered(other).failedJobs.retry(uuids), [
        'not-found',
      ]);
      await holdsSize('a repeated retry stores nothing', connector, { ready: 1 });
    },
  },
  {
    name: 'retry: a live job of that id keeps the record, whatever its state',
    needs,
    async run(harness) {
      const { connector } = harness;
      const uuids = await recordFailures(harness, 'ready', 'delayed', 'reserved');
      await connector.push('q', [job('reserved')]);
      await reserveOne(connector);
      await connector.push('q', [job('ready'), job('delayed', { delayMs: 60_000 })]);
      const outcomes = await offered(connector).failedJobs.retry(uuids);
      holds('retry finds the live jobs', outcomes, Array(3).fill('already-there'));
      holds('retry keeps their records', (await offered(connector).failedJobs.list()).length, 3);
      await holdsSize('retry changes no live job', connector, { ready: 1, delayed: 1, reserved: 1 });
    },
  },
  {
    name: 'retry: goes back to the queue of each record',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const records = ['mail', 'sms'].map((queue) =>
        failedRecord({ id: 'a', queue, body: queue, attempts: 1 }),
      );
      await failedJobs.record(records);
      const outcomes = await failedJobs.retry(records.map(({ uuid }) => uuid));
      holds('the same id in two queues is two jobs', outcomes, ['retried', 'retried']);
      for (const queue of ['mail', 'sms']) {
        holds('a retried job is in its queue', (await reserveOne(connector, queue)).body, queue);
      }
    },
  },
  {
    name: 'retry: an id that was pushed before is not swallowed',
    needs: [...needs, 'fail'],
    async run({ connector, other }) {
      const { failedJobs } = offered(connector);
      await connector.push('q', [job('a')]);
      for (let life = 0; life < 3; life += 1) {
        const held = await reserveOne(other);
        holds('every life of an id starts unspent', held.attempts, 1);
        const record = failedRecord(held);
        await offered(other).fail([{ lease: held.lease, record }]);
        holds('a retried id is stored again', await failedJobs.retry([record.uuid]), ['retried']);
        await holdsSize('a retried id is there', connector, { ready: 1 });
      }
    },
  },
  {
    name: 'retry: two at once move a record one time',
    needs,
    async run(harness) {
      const { connector, other } = harness;
      const uuids = await recordFailures(harness, ...idsOf(jobs(20)));
      const outcomes = await Promise.all(
        [connector, other, connector, other].map((one) => offered(one).failedJobs.retry(uuids)),
      );
      const retried = outcomes.flat().filter((outcome) => outcome === 'retried').length;
      holds('each record is moved by one of the callers', retried, 20);
      holds('no job is doubled', idsOf(await reserveAll(connector)).sort(), idsOf(jobs(20)).sort());
      holds('no record is left', await offered(connector).failedJobs.list(), []);
    },
  },
];
