import { expect, test } from 'vitest';
import { readOptions } from './options.js';
import { profileFor } from './profile.js';
import { scheduleFor } from './schedule.js';

const tenMinutes = 600_000;
const nightly = profileFor(readOptions(['--driver', 'redis']));

test('the same seed plans the same faults, another one others', () => {
  const plan = scheduleFor(nightly, tenMinutes, 7);
  expect(scheduleFor(nightly, tenMinutes, 7)).toEqual(plan);
  expect(scheduleFor(nightly, tenMinutes, 8)).not.toEqual(plan);
});

test('ten minutes have as many faults as a verdict takes, in the order of their times', () => {
  const plan = scheduleFor(nightly, tenMinutes, 7);
  const times = plan.map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.every((at) => at >= 0 && at < tenMinutes)).toBe(true);
  const count = (...what: string[]) => plan.filter((one) => what.includes(one.what)).length;
  expect(count('kill', 'kill-as-it-starts', 'kill-as-it-ends', 'kill-as-it-fails')).toBeGreaterThan(200);
  for (const scene of ['kill-as-it-starts', 'kill-as-it-ends', 'kill-as-it-fails'] as const)
    expect(count(scene)).toBeGreaterThan(50);
  expect(count('term-as-it-runs')).toBeGreaterThanOrEqual(15);
  expect(count('stop-before-it-settles')).toBeGreaterThanOrEqual(15);
  expect(count('outage')).toBeGreaterThanOrEqual(9);
  expect(count('stop', 'stop-tree')).toBeGreaterThanOrEqual(14);
  expect(
    new Set(plan.filter(({ what }) => what === 'network').map(({ network }) => network)).size,
  ).toBeGreaterThan(5);
});

test('in the last minutes of ten nobody is asked to start again, so that a process grows old', () => {
  for (let seed = 0; seed < 100; seed++) {
    const at = scheduleFor(nightly, tenMinutes, seed).flatMap(({ what, atMs }) =>
      what === 'restart' ? [atMs] : [],
    );
    expect(at.length).toBeGreaterThanOrEqual(6);
    expect(Math.max(...at)).toBeLessThan(tenMinutes - 180_000);
  }
});

test('a run of a broken driver has each scene at least three times, with any seed', () => {
  const broken = profileFor(readOptions(['--mutant', 'settle-by-id']));
  for (let seed = 0; seed < 1000; seed++) {
    const plan = scheduleFor(broken, 30_000, seed);
    for (const scene of ['kill-as-it-ends', 'kill-as-it-fails', 'term-as-it-runs', 'stop-before-it-settles'])
      expect(
        plan.filter(({ what }) => what === scene).length,
        `${scene}, seed ${seed}`,
      ).toBeGreaterThanOrEqual(3);
  }
});

const smoke = profileFor(readOptions(['--driver', 'redis', '--seconds', '20']));

test('a smoke has as many kills as a verdict takes, with any seed', () => {
  for (const seed of [575_334, ...Array(1000).keys()]) {
    const plan = scheduleFor(smoke, 20_000, seed).filter(({ what }) => what.startsWith('kill'));
    expect(plan.length, `seed ${seed}`).toBeGreaterThanOrEqual(9);
  }
});

test('a smoke has each kind of fault', () => {
  const kinds = new Set(scheduleFor(smoke, 20_000, 1).map(({ what }) => what.replace(/-.*/, '')));
  expect([...kinds].sort()).toEqual([
    'clock',
    'full',
    'graves',
    'kill',
    'network',
    'outage',
    'restart',
    'stop',
    'term',
  ]);
});

test.each([
  [['--driver', 'oracle'], '--driver'],
  [['--seconds', '1'], '--seconds'],
  [['--seed', 'x'], '--seed'],
  [['--fsync', 'no'], '--fsync'],
  [['--failed', 'away'], '--failed'],
])('%j is refused', (args, why) => {
  expect(() => readOptions(args)).toThrow(why);
});
