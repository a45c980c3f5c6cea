import type { FailedJob } from '../../../src/index.js';
import type { Capability, ConformanceCase } from '../harness.js';
import { failedRecord, holds, offered } from '../steps.js';

const needs: readonly Capability[] = ['failedJobs'];
const startMs = 1_750_000_000_000;

function recordOf(id: string, more: Partial<FailedJob> = {}): FailedJob {
  return failedRecord({ id, queue: 'q', body: `{"job":"${id}"}`, attempts: 3 }, more);
}

/** Records `job-0` to `job-<count - 1>`, a second apart. */
function recordsOf(count: number): FailedJob[] {
  return Array.from({ length: count }, (_, index) =>
    recordOf(`job-${index}`, { failedAtMs: startMs + index * 1000 }),
  );
}

function jobIdsOf(records: readonly FailedJob[]): string[] {
  return records.map(({ jobId }) => jobId);
}

/** Where given-up jobs are kept. */
export const failedStoreCases: readonly ConformanceCase[] = [
  {
    name: 'failed store: keeps every field of a record',
    needs,
    async run({ connector, other }) {
      const plain = recordOf('plain', { name: null, message: '', stack: '', failedAtMs: startMs + 1234 });
      const rich = recordOf('rich', {
        payload: '{"a":[],"b":{},"n":9007199254740993.0,"s":"\\u0000 \\ud800 \u{1F411}"}',
        message: 'quote \' " ` backslash \\ percent % \u{1F411}\nsecond line',
        stack: 'Error: x\n    at y (z.js:1:1)\n'.repeat(200),
        causes: [
          { class: 'Error', message: 'inner' },
          { class: 'AggregateError', message: '' },
        ],
        reason: 'timed-out',
        attempts: 255,
        failedAtMs: startMs,
      });
      await offered(connector).failedJobs.record([rich, plain]);
      holds('a record is kept as given', await offered(other).failedJobs.list(), [plain, rich]);
    },
  },
  {
    name: 'failed store: is empty at first, and no records are no error',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      await failedJobs.record([]);
      holds('list of an empty store', await failedJobs.list(), []);
      holds('find in an empty store', await failedJobs.find(['x']), []);
      holds('find of nothing', await failedJobs.find([]), []);
      holds('forget of nothing', await failedJobs.forget([]), 0);
      holds('flush of an empty store', await failedJobs.flush(), 0);
    },
  },
  {
    name: 'failed store: a record of the same connection, queue and job id replaces the older',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const older = recordOf('a', { failedAtMs: startMs, message: 'older' });
      const newer = recordOf('a', { failedAtMs: startMs + 5000, message: 'newer' });
      await failedJobs.record([older]);
      await failedJobs.record([recordOf('b', { failedAtMs: startMs + 1000 })]);
      await failedJobs.record([newer]);
      holds('one failed job is one record', jobIdsOf(await failedJobs.list()), ['a', 'b']);
      holds('the newer record stays', await failedJobs.find(['a']), [newer]);
      holds('the older record is gone', await failedJobs.find([older.uuid]), []);
    },
  },
  {
    name: 'failed store: the same job id in another queue or connection is another job',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const [first, second, third] = [
        recordOf('a', { failedAtMs: startMs }),
        recordOf('a', { failedAtMs: startMs + 1000, queue: 'other' }),
        recordOf('a', { failedAtMs: startMs + 2000, connection: 'elsewhere' }),
      ];
      await failedJobs.record([first, second, third]);
      holds('records of different jobs stand side by side', await failedJobs.list(), [third, second, first]);
      holds('find by job id finds them all', await failedJobs.find(['a']), [third, second, first]);
    },
  },
  {
    name: 'failed store: lists the newest first, in pages',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const records = recordsOf(120);
      for (let from = 0; from < 120; from += 30) await failedJobs.record(records.slice(from, from + 30));
      const newestFirst = jobIdsOf(records.toReversed());
      const page = async (filter: { limit?: number; offset?: number }): Promise<string[]> =>
        jobIdsOf(await failedJobs.list(filter));
      holds('list is newest first, 100 by default', await page({}), newestFirst.slice(0, 100));
      holds('list takes a limit', await page({ limit: 1000 }), newestFirst);
      holds(
        'list takes a limit and an offset',
        await page({ limit: 10, offset: 5 }),
        newestFirst.slice(5, 15),
      );
      holds('an offset past the end lists none', await page({ offset: 500 }), []);
    },
  },
  {
    name: 'failed store: the conditions of a filter hold together',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      await failedJobs.record([
        recordOf('a', { failedAtMs: startMs, queue: 'mail' }),
        recordOf('b', { failedAtMs: startMs + 1000, name: 'sms.send' }),
        recordOf('c', { failedAtMs: startMs + 2000, name: null, connection: 'elsewhere' }),
        recordOf('d', { failedAtMs: startMs + 3000, queue: 'mail', name: 'sms.send' }),
      ]);
      const list = async (filter: Parameters<typeof failedJobs.list>[0]): Promise<string[]> =>
        jobIdsOf(await failedJobs.list(filter));
      holds('filter by queue', await list({ queue: 'mail' }), ['d', 'a']);
      holds('filter by name', await list({ name: 'sms.send' }), ['d', 'b']);
      holds('filter by connection', await list({ connection: 'elsewhere' }), ['c']);
      holds('sinceMs includes that time', await list({ sinceMs: startMs + 2000 }), ['d', 'c']);
      holds('untilMs includes that time', await list({ untilMs: startMs + 1000 }), ['b', 'a']);
      const within = { sinceMs: startMs + 1000, untilMs: startMs + 2000 };
      holds('a span of time has both ends', await list(within), ['c', 'b']);
      holds('all conditions hold together', await list({ queue: 'mail', name: 'sms.send' }), ['d']);
      holds('a limit counts what matches', await list({ queue: 'mail', limit: 1, offset: 1 }), ['a']);
    },
  },
  {
    name: 'failed store: finds by uuid and by job id',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const records = recordsOf(4);
      await failedJobs.record(records);
      const [, second, , fourth] = records;
      const found = await failedJobs.find(['job-1', fourth?.uuid ?? '', 'unknown']);
      holds('find answers what is there, newest first', found, [fourth, second]);
      const named = await failedJobs.find(['job-1', second?.uuid ?? '']);
      holds('a record that is named by both is found in one piece', named, [second]);
    },
  },
  {
    name: 'failed store: forgets by uuid',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      const records = recordsOf(3);
      await failedJobs.record(records);
      const uuids = [records[0]?.uuid ?? '', records[2]?.uuid ?? '', 'unknown', 'job-1'];
      holds('forget answers how many were there', await failedJobs.forget(uuids), 2);
      holds('forget removes those only', jobIdsOf(await failedJobs.list()), ['job-1']);
      holds('forget again answers 0', await failedJobs.forget(uuids), 0);
    },
  },
  {
    name: 'failed store: flushes all records or the old ones',
    needs,
    async run({ connector }) {
      const { failedJobs } = offered(connector);
      await failedJobs.record(recordsOf(5));
      holds('flush takes those before a time', await failedJobs.flush({ beforeMs: startMs + 2000 }), 2);
      holds('flush leaves those at or after it', jobIdsOf(await failedJobs.list()), [
        'job-4',
        'job-3',
        'job-2',
      ]);
      holds('flush without a time takes all', await failedJobs.flush(), 3);
      holds('nothing is left', await failedJobs.list(), []);
    },
  },
];
