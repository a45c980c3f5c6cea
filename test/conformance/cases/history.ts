import { mostPruned } from '../../../src/index.js';
import type { Capability, ConformanceCase } from '../harness.js';
import { endedJob, holds, offered } from '../steps.js';

const needs: readonly Capability[] = ['history'];

const jobIds = (list: readonly { readonly jobId: string }[]): string[] => list.map(({ jobId }) => jobId);

/** Ended jobs, kept for people. */
export const historyCases: readonly ConformanceCase[] = [
  {
    name: 'history: what is added is read by every connector as it was, and time removes nothing',
    needs,
    async run({ connector, other, advance }) {
      const result = JSON.stringify({ text: `'"\\%_\u0000ü😀${'x'.repeat(3900)}` });
      const none = { createdAtMs: null, dueAtMs: null, startedAtMs: null, result: null };
      const ends = [
        endedJob({ result }, 2),
        endedJob({ ...none, name: null, state: 'failed', attempts: 0, note: 'JSON cannot hold it' }, 1),
        endedJob({ jobId: '__proto__', queue: 'Q:1', name: 'n'.repeat(255) }, 0),
      ];
      await offered(connector).history.add([ends[1], ends[0], ends[2]] as typeof ends);
      await advance(30 * 24 * 3_600_000);
      holds('ends are kept as they were, the newest first', await offered(other).history.list(), ends);
      await offered(connector).history.add([]);
    },
  },
  {
    name: 'history: an end that is added again is kept once, as it was',
    needs,
    async run({ connector, other }) {
      const { history } = offered(connector);
      await history.add([endedJob({}, 1), endedJob({}, 2)]);
      await offered(other).history.add([
        endedJob({ result: '"other"' }, 2),
        endedJob({}, 3),
        endedJob({}, 1),
      ]);
      const ends = [3, 2, 1].map((at) => endedJob({}, at));
      holds('each end is there once', await history.list(), ends);
      holds('and is found once', await history.find(['job-2']), [endedJob({}, 2)]);
    },
  },
  {
    name: 'history: a list takes the newest that pass all of its conditions',
    needs,
    async run({ connector }) {
      const { history } = offered(connector);
      // More than a store reads in one go, those that are wanted among the oldest.
      const ends = Array.from({ length: 450 }, (_, at) => {
        if (at >= 20) return endedJob({ queue: 'other', name: 'other' }, at);
        return endedJob({ state: at % 2 === 0 ? 'failed' : 'done', queue: at < 10 ? 'q' : 'p' }, at);
      });
      for (let at = 0; at < ends.length; at += 100) await history.add(ends.slice(at, at + 100));
      const list = async (filter: Parameters<typeof history.list>[0]) => jobIds(await history.list(filter));
      holds('100 are listed where nothing is said', (await list({})).length, 100);
      holds('a limit takes the newest', await list({ limit: 2 }), ['job-449', 'job-448']);
      holds('by queue', await list({ queue: 'q', limit: 2 }), ['job-9', 'job-8']);
      holds('by name', (await list({ name: 'mail.send' })).length, 20);
      holds('by state', await list({ state: 'failed', limit: 2 }), ['job-18', 'job-16']);
      const since = { sinceMs: 1_750_000_000_000 + 8000, name: 'mail.send' };
      holds('from a time on', await list({ ...since, queue: 'q' }), ['job-9', 'job-8']);
      holds('all together', await list({ ...since, queue: 'q', state: 'failed' }), ['job-8']);
      holds('none', await list({ queue: 'nobody' }), []);
    },
  },
  {
    name: 'history: finds every end of the jobs of ids, the newest first',
    needs,
    async run({ connector, other }) {
      const ends = [
        endedJob({ jobId: 'a', state: 'failed' }, 0),
        endedJob({ jobId: 'a' }, 1),
        endedJob({ jobId: 'a', queue: 'p' }, 2),
        endedJob({ jobId: 'ab' }, 3),
        endedJob({ jobId: 'A' }, 4),
      ];
      await offered(connector).history.add(ends);
      const { history } = offered(other);
      holds('of one job', await history.find(['a']), [ends[2], ends[1], ends[0]]);
      holds('of several', jobIds(await history.find(['ab', 'nobody', 'a', 'a'])), ['ab', 'a', 'a', 'a']);
      holds('of none', [await history.find([]), await history.find(['nobody'])], [[], []]);
    },
  },
  {
    name: 'history: a prune removes the oldest beyond a count or a time, in steps of bounded size',
    needs,
    async run({ connector, other }) {
      const { history } = offered(connector);
      const ends = Array.from({ length: mostPruned + 50 }, (_, at) => endedJob({ jobId: `job-${at}` }, at));
      for (let at = 0; at < ends.length; at += 100) await history.add(ends.slice(at, at + 100));
      const newest = async () => jobIds(await history.list({ limit: 2000 }));
      holds('nothing is beyond the bounds', await history.prune({ count: ends.length, sinceMs: 1 }), 0);
      holds('one step removes no more', await history.prune({ count: 20 }), mostPruned);
      holds('the oldest went first', (await newest()).at(-1), `job-${mostPruned}`);
      holds('the next goes on', await offered(other).history.prune({ count: 20 }), 30);
      holds('then there is nothing left to do', await history.prune({ count: 20 }), 0);
      const last = 1_750_000_000_000 + (mostPruned + 49) * 1000;
      holds('what ended before a time goes', await history.prune({ sinceMs: last - 4000 }), 15);
      holds('and what ended just then stays', (await newest()).length, 5);
      holds('either bound is enough', await history.prune({ count: 2, sinceMs: last - 3000 }), 3);
      holds('the newest stay', await newest(), [`job-${mostPruned + 49}`, `job-${mostPruned + 48}`]);
      holds('what was removed is not found either', await history.find(['job-0']), []);
      holds('all can go', await history.prune({ count: 0 }), 2);
    },
  },
];
