import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dataJson } from '../../src/data-json.js';
import { data } from './json.js';

/** Short ones and long ones, of which some need escapes: anywhere, or in their last character only. */
const text = fc
  .tuple(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom(0, 1, 4100),
    fc.constantFrom('', '"', '\\', '\0', '\x1f', '\n', '\x7f', 'é', '\u2028', '😀'),
  )
  .map(([unit, times, last]) => (unit || 'x').repeat(times) + last);

const withTexts = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.oneof(text, data, fc.constant(undefined)),
);

test('data are written as JSON.stringify writes them, however long their texts are', () => {
  fc.assert(
    fc.property(fc.oneof(text, withTexts, fc.array(text), data), (one) => {
      expect(dataJson(one)).toBe(JSON.stringify(one));
    }),
  );
});

test.each([
  ['numbers come first, as in the object', { b: 'x'.repeat(5000), 2: 'two', 1: 'one', a: null }],
  ['what is undefined is left out', { a: undefined, b: 'x'.repeat(5000), c: undefined }],
  ['an object without a prototype', Object.assign(Object.create(null), { text: 'x'.repeat(5000) })],
  [
    'a getter',
    {
      get text() {
        return 'x'.repeat(5000);
      },
    },
  ],
  ['names with quotes', { 'a"b': 'x'.repeat(5000), 'c\n': 1 }],
  ['a long text alone', 'x'.repeat(5000)],
  ['null', null],
])('%s', (_, one) => expect(dataJson(one)).toBe(JSON.stringify(one)));
