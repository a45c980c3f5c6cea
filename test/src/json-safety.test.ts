import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { assertJsonSafe } from '../../src/json-safety.js';

class Point {
  readonly x = 1;
}
class List extends Array {}
const circle: Record<string, unknown> = { a: {} };
(circle.a as Record<string, unknown>).back = circle;
const ring: unknown[] = [];
ring.push(ring);

function nested(levels: number): unknown {
  let data: unknown = 'leaf';
  for (let level = 0; level < levels; level++) data = level % 2 ? [data] : { a: data };
  return data;
}

describe('data passes', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['text', 'naïve 🐢 \0 \n'],
    ['an empty string', ''],
    ['numbers', [0, -0, 1.5, -1e308, 2 ** 53 + 2, 5e-324]],
    ['booleans', [true, false]],
    ['empty ones', [[], {}]],
    ['a property that is undefined', { a: undefined }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['objects and arrays of another realm', runInNewContext('({ a: [{ b: 1 }], c: null })')],
    ['200 levels', nested(200)],
    ['an own __proto__', JSON.parse('{"__proto__":{"polluted":true},"constructor":1}')],
    ['keys that need quoting', { 'a b': 1, '': 2, '\0': 3, '🐢': 4 }],
  ])('%s', (_, data) => expect(() => assertJsonSafe(data)).not.toThrow());

  test('one object in several places, which is no cycle', () => {
    const shared = { a: [1] };
    expect(() => assertJsonSafe({ first: shared, second: [shared, shared] })).not.toThrow();
  });
});

describe('data is refused, and the error names the path', () => {
  test.each<[string, unknown]>([
    ['data is undefined', undefined],
    ['data.a[1] is undefined', { a: [1, undefined] }],
    ['data.a is NaN', { a: Number.NaN }],
    ['data[0] is Infinity', [Number.POSITIVE_INFINITY]],
    ['data[0] is -Infinity', [Number.NEGATIVE_INFINITY]],
    ['data.n is a BigInt', { n: 1n }],
    ['data.items[1].at is a Date', { items: [{}, { at: new Date(0) }] }],
    ['data.m is a Map', { m: new Map() }],
    ['data.s is a Set', { s: new Set() }],
    ['data.p is a Point', { p: new Point() }],
    ['data.e is a Error', { e: new Error('x') }],
    ['data.b is a Buffer', { b: Buffer.from('x') }],
    ['data.r is a RegExp', { r: /x/ }],
    ['data.p is a Promise', { p: Promise.resolve() }],
    ['data.s is a String', { s: new String('boxed') }],
    ['data.at is a Date', { at: runInNewContext('new Date(0)') }],
    ['data.a.back refers back', circle],
    ['data[0] refers back', ring],
    ['data.f is a function', { f() {} }],
    ['data.toJSON is a function', { toJSON: () => 1 }],
    ['data.s is a symbol', { s: Symbol('s') }],
    ['data.a has a symbol as key', { a: { [Symbol('s')]: 1 } }],
    ['data.a holds half of a surrogate pair', { a: '\ud800' }],
    ['data holds half of a surrogate pair', 'x\udc00y'],
    ['has a key with half of a surrogate pair', { a: { '\ud83d': 1 } }],
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested
    ['data.a[1] is undefined', { a: [1, , 3] }],
    ['data[0] is undefined', new Array(3)],
    ['data["a b"]["c\\"d"] is a BigInt', { 'a b': { 'c"d': 1n } }],
    [
      'data.__proto__[0] is a BigInt',
      JSON.parse('{"__proto__":[1]}', (_, value) => (value === 1 ? 1n : value)),
    ],
  ])('%s', (message, data) => {
    expect(() => assertJsonSafe(data)).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test('at 201 levels, with a path that fits on a line', () => {
    let thrown: unknown;
    try {
      assertJsonSafe(nested(201));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ message: expect.stringContaining('deeper than 200 levels') });
    expect((thrown as Error).message.length).toBeLessThan(120);
  });

  test('at a depth that would overflow a stack', () => {
    expect(() => assertJsonSafe(nested(100_000))).toThrow('deeper than 200 levels');
  });

  test('where JSON would drop the properties of an array, as those of a match', () => {
    expect(() => assertJsonSafe({ found: 'abc'.match(/b/) })).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_INVALID', message: expect.stringContaining('data.found') }),
    );
  });

  test('where JSON would make a plain array of a class of array', () => {
    expect(() => assertJsonSafe({ list: List.of(1) })).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_INVALID', message: expect.stringContaining('data.list') }),
    );
  });

  test('with the remedy for what has one', () => {
    expect(() => assertJsonSafe(new Date())).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('toISOString') }),
    );
    expect(() => assertJsonSafe(1n)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('string') }),
    );
    expect(() => assertJsonSafe('\ud800')).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('toWellFormed') }),
    );
  });
});

test('looking at data changes nothing and reaches no prototype', () => {
  const data = JSON.parse('{"__proto__":{"polluted":true}}');
  assertJsonSafe(data);
  expect(JSON.stringify(data)).toBe('{"__proto__":{"polluted":true}}');
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
