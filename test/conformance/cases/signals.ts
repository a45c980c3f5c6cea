import { restartKey, signalRestart } from '../../../src/index.js';
import type { Capability, ConformanceCase } from '../harness.js';
import { holds, offered } from '../steps.js';

const needs: readonly Capability[] = ['signals'];

/** Small texts that every worker of a store can see. */
export const signalCases: readonly ConformanceCase[] = [
  {
    name: 'signals: a key that is not set reads null',
    needs,
    async run({ connector }) {
      holds('a key that is not set', await offered(connector).signals.read(restartKey), null);
    },
  },
  {
    name: 'signals: what is written can be read by every connector',
    needs,
    async run({ connector, other, advance }) {
      await offered(connector).signals.write(restartKey, '1750000000');
      holds('the other connector reads it', await offered(other).signals.read(restartKey), '1750000000');
      await offered(other).signals.write(restartKey, '1750000001');
      holds('a later value replaces it', await offered(connector).signals.read(restartKey), '1750000001');
      await advance(1_200_000);
      holds('a value does not expire', await offered(connector).signals.read(restartKey), '1750000001');
    },
  },
  {
    name: 'signals: keys are independent, and values are plain text',
    needs,
    async run({ connector }) {
      const { signals } = offered(connector);
      const values = { a: '', A: '007', 'a:b': '{"x":[]}', constructor: ' text ', b: 'null' };
      for (const [key, value] of Object.entries(values)) await signals.write(key, value);
      for (const [key, value] of Object.entries(values)) {
        holds(`the value of ${key} is kept as it was written`, await signals.read(key), value);
      }
    },
  },
  {
    name: 'signals: a swap writes only where the value is the one expected',
    needs: ['signals.swap'],
    async run({ connector, other }) {
      const { signals } = offered(connector);
      const swap = (expected: string | null, value: string) =>
        (signals.swap as NonNullable<typeof signals.swap>)('key', expected, value);
      holds('a key that is not set has no value', await swap('', 'a'), false);
      holds('nothing was written', await signals.read('key'), null);
      holds('a key that is not set is expected so', await swap(null, 'a'), true);
      holds('a key that is set is not unset', await swap(null, 'b'), false);
      holds('another value is not the expected one', await swap('A', 'b'), false);
      holds('the value stays', await offered(other).signals.read('key'), 'a');
      holds('the expected value is replaced', await swap('a', 'b'), true);
      holds('an equal value may be written', await swap('b', 'b'), true);
      holds('the other connector reads it', await offered(other).signals.read('key'), 'b');
    },
  },
  {
    name: 'signals: of swaps at once that expect the same one writes',
    needs: ['signals.swap'],
    async run({ connector, other }) {
      for (const expected of [null, 'first']) {
        const key = `key-${expected}`;
        if (expected !== null) await offered(connector).signals.write(key, expected);
        const swaps = Array.from({ length: 8 }, (_, index) => {
          const { signals } = offered(index % 2 ? connector : other);
          return (signals.swap as NonNullable<typeof signals.swap>)(key, expected, `value-${index}`);
        });
        const written = (await Promise.all(swaps)).flatMap((did, index) => (did ? [`value-${index}`] : []));
        holds('one of them writes', written.length, 1);
        holds('its value is there', await offered(connector).signals.read(key), written[0]);
      }
    },
  },
  {
    name: 'signals: two restart signals within a second differ',
    needs,
    async run({ connector, other }) {
      const first = await signalRestart(offered(connector).signals, 1_750_000_000_200);
      const second = await signalRestart(offered(other).signals, 1_750_000_000_900);
      holds('a second signal is seen as new', [first, second], ['1750000000', '1750000001']);
    },
  },
];
