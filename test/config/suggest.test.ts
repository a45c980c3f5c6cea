import { expect, test } from 'vitest';
import { suggest } from '../../config/suggest.js';

const names = ['connections', 'concurrency', 'default', 'worker', 'ttl'];

test.each([
  ['conections', 'connections'],
  ['concurency', 'concurrency'],
  ['Default', 'default'],
  ['wokrer', 'worker'],
  ['workers', 'worker'],
  ['tab', undefined],
  ['tl', 'ttl'],
  ['conn', undefined],
  ['redis', undefined],
  ['', undefined],
])('%s: %s', (word, near) => {
  expect(suggest(word, names)).toBe(near);
});

test('any iterable will do, and nothing is near nothing', () => {
  expect(suggest('mian', new Map([['main', 1]]).keys())).toBe('main');
  expect(suggest('main', [])).toBeUndefined();
});
