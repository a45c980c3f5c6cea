import { expect, it } from 'vitest';
import { steadyPercent } from './remains.js';

it.each([
  { what: 'a collection', msOfSeconds: [0, 40, 40, 10], percent: 0.5 },
  { what: 'a worker that looks too often', msOfSeconds: [30, 20, 30, 30], percent: 2.5 },
  { what: 'a loop', msOfSeconds: [1000, 990, 1000, 1000], percent: 99.5 },
])('takes the steady share of a core from $what', ({ msOfSeconds, percent }) => {
  expect(steadyPercent(msOfSeconds)).toBe(percent);
});
