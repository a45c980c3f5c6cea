import type { StatisticsKey, StatisticsRow } from '../../../src/index.js';
import type { Capability, ConformanceCase } from '../harness.js';
import { holds, offered } from '../steps.js';

const needs: readonly Capability[] = ['statistics'];
const minuteMs = 60_000;
const all = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };

/** A row whose body tells it from others. */
function row(key: Partial<StatisticsKey> = {}, body = 'one'): StatisticsRow {
  return {
    level: 'live',
    startMs: 29_000_000 * minuteMs,
    source: 'a1',
    queue: 'q',
    name: 'mail.send',
    ...key,
    body,
  };
}

/** The same for two lists of the same rows, in whatever order those of one time come. */
function sorted(rows: readonly StatisticsRow[]): string[] {
  const texts = rows.map(({ level, startMs, source, queue, name, body }) =>
    JSON.stringify([startMs, level, source, queue, name, body]),
  );
  return texts.sort();
}

/** Rows of text under a key. */
export const statisticsCases: readonly ConformanceCase[] = [
  {
    name: 'statistics: what is put is read by every connector, byte for byte',
    needs,
    async run({ connector, other, advance }) {
      const body = JSON.stringify({ v: 1, text: `'"\\%_${'x'.repeat(5000)}` });
      const rows = [
        row({}, body),
        row({ level: 'minute', source: '' }, ''),
        row({ level: 'hour', source: '', queue: '(others)', name: '(others)' }),
      ];
      await offered(connector).statistics.put(rows);
      await advance(30 * 24 * 60 * minuteMs);
      const read = await offered(other).statistics.read(all);
      holds('rows are kept as they were put, for as long as nobody removes them', sorted(read), sorted(rows));
    },
  },
  {
    name: 'statistics: a row replaces the one of its key, and each part of the key counts',
    needs,
    async run({ connector, other }) {
      const { startMs } = row();
      const names = ['Mail.send', '__proto__', 'constructor', 'App\\Mail/v2:x@run', 'n'.repeat(255)];
      const rows = [
        row(),
        row({ level: 'minute' }),
        row({ startMs: startMs + minuteMs }),
        row({ source: 'b2' }),
        row({ queue: 'Q' }),
        row({ queue: 'q:1' }),
        row({ queue: '__proto__' }),
        ...names.map((name) => row({ name })),
      ];
      await offered(connector).statistics.put(rows);
      await offered(other).statistics.put([row({}, 'two')]);
      const [, ...rest] = rows;
      const read = await offered(connector).statistics.read(all);
      holds('one row has changed, and no other', sorted(read), sorted([row({}, 'two'), ...rest]));
      await offered(connector).statistics.put([]);
    },
  },
  {
    name: 'statistics: a range is read by level and time, oldest first, up to a limit',
    needs,
    async run({ connector }) {
      const { statistics } = offered(connector);
      const { startMs } = row();
      const at = [4, 1, 3, 0, 2].map((minute) => startMs + minute * minuteMs);
      await statistics.put(at.map((start) => row({ startMs: start })));
      await statistics.put(at.map((start) => row({ startMs: start, level: 'hour', source: '' })));
      const range = { level: 'live', fromMs: startMs + minuteMs, untilMs: startMs + 4 * minuteMs } as const;
      const starts = async (wish: Parameters<typeof statistics.read>[0]) =>
        (await statistics.read(wish)).map((one) => (one.startMs - startMs) / minuteMs);
      holds('from is part of the range, until is not', await starts(range), [1, 2, 3]);
      holds('a limit takes the oldest', await starts({ ...range, limit: 2 }), [1, 2]);
      holds(
        'without a level all are read',
        await starts({ fromMs: range.fromMs, untilMs: range.untilMs }),
        [1, 1, 2, 2, 3, 3],
      );
      holds('a limit takes the oldest of all levels', await starts({ ...all, limit: 3 }), [0, 0, 1]);
      holds('a range without rows is empty', await statistics.read({ fromMs: 0, untilMs: startMs }), []);
    },
  },
  {
    name: 'statistics: rows are replaced if all are as they were read, else nothing changes',
    needs,
    async run({ connector, other }) {
      const { statistics } = offered(connector);
      const one = row();
      const two = row({ source: 'b2' });
      const merged = row({ level: 'minute', source: '' }, 'both');
      await statistics.put([one, two]);
      holds(
        'a row that is not there',
        await statistics.replace([one, row({ source: 'c3' })], [merged]),
        false,
      );
      holds(
        'a row with another body',
        await statistics.replace([one, { ...two, body: 'x' }], [merged]),
        false,
      );
      holds('nothing has changed', sorted(await statistics.read(all)), sorted([one, two]));
      holds('all as they were read', await offered(other).statistics.replace([one, two], [merged]), true);
      holds('the new row is there, the old ones are not', await statistics.read(all), [merged]);
      holds('a repeat finds them gone', await statistics.replace([one, two], [merged]), false);
      const again = { ...merged, body: 'more' };
      holds('a row is replaced by one of its key', await statistics.replace([merged], [again]), true);
      holds('it has the new body', await statistics.read(all), [again]);
      holds('rows can go without others', await statistics.replace([again], []), true);
      holds('nothing is left', await statistics.read(all), []);
    },
  },
  {
    name: 'statistics: of two who replace the same rows at once, one does',
    needs,
    async run({ connector, other }) {
      const rows = Array.from({ length: 150 }, (_, index) => row({ source: `s${index}` }));
      await offered(connector).statistics.put(rows);
      const both = await Promise.all(
        [connector, other].map((each, index) =>
          offered(each).statistics.replace(rows, [row({ level: 'minute', source: '' }, `by ${index}`)]),
        ),
      );
      holds('one answers true', both.filter((did) => did).length, 1);
      const read = await offered(connector).statistics.read(all);
      holds(
        'its row is the only one',
        read.map(({ body }) => body),
        [`by ${both.indexOf(true)}`],
      );
    },
  },
];
