import { expectEntries } from '../beats.js';
import type { Capability, ConformanceCase } from '../harness.js';
import { holds, offered, soon } from '../steps.js';

const needs: readonly Capability[] = ['workers'];
const keepMs = 60_000;
const beat = (id: string, about = `{"name":"${id}"}`) => ({ id, about, keepMs });

/** The list of live workers. */
export const workerCases: readonly ConformanceCase[] = [
  {
    name: 'workers: a list that nobody is on is empty',
    needs,
    async run({ connector }) {
      holds('nobody is on the list', await offered(connector).workers.list(), []);
    },
  },
  {
    name: 'workers: every connector sees what each worker said last, byte for byte',
    needs,
    async run({ connector, other }) {
      const about = '{"name":"w \\u0000 ’ 😀 \'\\"%\\\\","queues":["a:b"]}';
      await offered(connector).workers.beat(beat('a', 'first'));
      await offered(connector).workers.beat(beat('a', about));
      await offered(other).workers.beat(beat('b', ''));
      const expected = { a: about, b: '' };
      await expectEntries('both workers are on the list', connector, expected);
      await expectEntries('the other connector lists the same', other, expected);
    },
  },
  {
    name: 'workers: one that says no more is forgotten when its time is over, by the store’s clock',
    needs,
    async run({ connector, advance }) {
      const { workers } = offered(connector);
      await workers.beat(beat('quiet'));
      await workers.beat(beat('lives'));
      await advance(40_000);
      await workers.beat(beat('lives', 'still'));
      const left = new Map((await workers.list()).map(({ id, leftMs }) => [id, leftMs]));
      const isNear = (ms: number | undefined, expected: number) => Math.abs((ms ?? 0) - expected) < 10_000;
      holds('what is left of a beat falls', isNear(left.get('quiet'), 20_000), true);
      holds('another beat begins anew', isNear(left.get('lives'), keepMs), true);
      await advance(35_000);
      await expectEntries('only who lives is on the list', connector, { lives: 'still' });
      await workers.beat(beat('quiet', 'back'));
      await expectEntries('who comes back is', connector, { lives: 'still', quiet: 'back' });
    },
  },
  {
    name: 'workers: one that leaves is gone at once; leaving twice is no error',
    needs,
    async run({ connector, other }) {
      await offered(connector).workers.beat(beat('a'));
      await offered(connector).workers.beat(beat('b'));
      await offered(other).workers.leave('a');
      await offered(connector).workers.leave('a');
      await expectEntries('the other is still there', connector, { b: '{"name":"b"}' });
    },
  },
  {
    name: 'workers: beats of many at once are all kept',
    needs,
    async run({ connector, other }) {
      const ids = Array.from({ length: 40 }, (_, index) => `w${index}`);
      await Promise.all(
        ids.map((id, index) => offered(index % 2 ? connector : other).workers.beat(beat(id))),
      );
      const listed = (await offered(connector).workers.list()).map(({ id }) => id);
      holds('all of them are on the list', listed.sort(), ids.sort());
    },
  },
  {
    name: 'workers: jobs and signals are not touched by beats, nor beats by them',
    needs: ['workers', 'signals'],
    async run({ connector }) {
      const { workers, signals } = offered(connector);
      await signals.write('a', 'a signal');
      await workers.beat(beat('a'));
      await connector.clear('q', { reserved: true });
      await expectEntries('the worker is there', connector, { a: '{"name":"a"}' });
      await workers.leave('a');
      holds('the signal is there', await signals.read('a'), 'a signal');
    },
  },
  {
    name: 'workers: a beat that goes along is on the list soon, also where nothing is reserved',
    needs: ['workers'],
    realTime: true,
    async run(harness) {
      const { workers } = offered(harness.connector);
      if (!workers.beatAlong) return;
      workers.beatAlong(beat('a'));
      const listed = async (): Promise<string> => {
        for (;;) {
          const [found] = await workers.list();
          if (found) return found.id;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      holds('it is on the list', await soon('a beat goes by itself', harness, listed()), 'a');
    },
  },
];
