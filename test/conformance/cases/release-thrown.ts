import type { Capability, ConformanceCase } from '../harness.js';
import { failedRecord, holds, holdsSize, idsOf, job, offered, pastLeaseMs, reserveOne } from '../steps.js';

const needs: readonly Capability[] = ['releaseThrown'];

/** A job as drover encodes it: some stores count inside such a body, and hand it out as it was. */
const encoded =
  '{"job":"mail.send","maxTries":null,"timeout":null,"data":{"to":"\\u00e4"},"id":"e","attempts":0}';

/** Counting thrown errors; what the verb does to a lost lease is under fencing. */
export const releaseThrownCases: readonly ConformanceCase[] = [
  {
    name: 'releaseThrown: counts, and nothing else counts or forgets',
    needs,
    async run({ connector, other, advance }) {
      for (const pushed of [job('a'), { id: 'e', body: encoded, unique: true }]) {
        await connector.push('q', [pushed]);
        const first = await reserveOne(connector);
        holds('a job that never threw has no exceptions', [first.id, first.exceptions ?? 0], [pushed.id, 0]);
        const answers = await offered(connector).releaseThrown([{ lease: first.lease, delayMs: 0 }]);
        holds('releaseThrown answers true where the lease is held', answers, [true]);
        const second = await reserveOne(other);
        holds('a delivery counts besides', [second.attempts, second.exceptions], [2, 1]);
        await offered(other).releaseThrown([{ lease: second.lease, delayMs: 0 }]);
        const third = await reserveOne(connector);
        await connector.release([{ lease: third.lease, delayMs: 0 }]);
        await reserveOne(connector);
        await advance(pastLeaseMs);
        const fifth = await reserveOne(other);
        holds('a release and a lapse count no error', [fifth.attempts, fifth.exceptions], [5, 2]);
        holds('the job stays as it was', [fifth.id, fifth.body], [first.id, first.body]);
        await offered(connector).releaseThrown([{ lease: third.lease, delayMs: 0 }]);
        holds('a lost lease counts no error', await other.delete([fifth.lease]), [true]);
      }
      await connector.push('q', [job('a')]);
      holds('a new job of the id starts anew', (await reserveOne(connector)).exceptions ?? 0, 0);
    },
  },
  {
    name: 'releaseThrown: the job is due after its own delay, and one named twice counts once',
    needs,
    async run({ connector, advance }) {
      await connector.push('q', [job('late'), job('soon')]);
      const [late, soon] = await connector.reserve(['q'], 2, 60_000);
      if (!late || !soon) throw new Error('two jobs were to be reserved');
      const answers = await offered(connector).releaseThrown([
        { lease: late.lease, delayMs: 60_000 },
        { lease: soon.lease, delayMs: 5_000 },
        { lease: soon.lease, delayMs: 5_000 },
      ]);
      holds('releaseThrown answers per lease', answers, [true, true, false]);
      await holdsSize('jobs released with a delay are delayed', connector, { delayed: 2 });
      await advance(10_000);
      const again = await reserveOne(connector);
      holds('a job is due after its own delay', [again.id, again.exceptions], ['soon', 1]);
    },
  },
  {
    name: 'releaseThrown: the count survives what gives the attempt back',
    needs: [...needs, 'unreserve', 'postpone'],
    async run({ connector, advance }) {
      await connector.push('q', [{ id: 'e', body: encoded, unique: true }]);
      const { lease } = await reserveOne(connector);
      await offered(connector).releaseThrown([{ lease, delayMs: 0 }]);
      const second = await reserveOne(connector);
      await offered(connector).unreserve([second.lease]);
      const third = await reserveOne(connector);
      holds('unreserve keeps the count', [third.attempts, third.exceptions], [2, 1]);
      await offered(connector).postpone([{ lease: third.lease, delayMs: 1_000 }]);
      await advance(3_000);
      const fourth = await reserveOne(connector);
      holds('postpone keeps the count', [fourth.attempts, fourth.exceptions, fourth.body], [2, 1, encoded]);
    },
  },
  {
    name: 'releaseThrown: a retried job starts at 0',
    needs: [...needs, 'fail', 'failedJobs', 'failedJobs.retry'],
    async run({ connector }) {
      await connector.push('q', [{ id: 'e', body: encoded, unique: true }]);
      const { lease } = await reserveOne(connector);
      await offered(connector).releaseThrown([{ lease, delayMs: 0 }]);
      const held = await reserveOne(connector);
      holds('the body that goes on record is the one pushed', held.body, encoded);
      const record = failedRecord(held);
      await offered(connector).fail([{ lease: held.lease, record }]);
      await offered(connector).failedJobs.retry([record.uuid]);
      const again = await reserveOne(connector);
      holds('a retry forgets attempts and errors', [again.attempts, again.exceptions ?? 0], [1, 0]);
    },
  },
  {
    name: 'releaseThrown: a look shows the count, and the body as it was',
    needs: [...needs, 'peek'],
    async run({ connector }) {
      await connector.push('q', [{ id: 'e', body: encoded, unique: true }]);
      const { lease } = await reserveOne(connector);
      await offered(connector).releaseThrown([{ lease, delayMs: 60_000 }]);
      const found = await offered(connector).peek('q', { state: 'delayed', limit: 10 });
      holds('a look finds it', idsOf(found as { id: string }[]), ['e']);
      const shown = found.map(({ attempts, exceptions, body }) => [attempts, exceptions, body]);
      holds('a look shows the count', shown, [[1, 1, encoded]]);
    },
  },
];
