import { expect, test } from 'vitest';
import type { FaultEvent, LedgerEvent } from '../conformance/index.js';
import { coverageOf } from './coverage.js';

const started = (t: number, pid: number, id = 'a'): LedgerEvent => {
  return { ev: 'started', t, id, pid, parent: 1, queue: 'q', attempt: 1, hash: '' };
};
const ended = (ev: 'finished' | 'aborted', t: number, pid: number, id = 'a'): LedgerEvent => ({
  ev,
  t,
  id,
  pid,
});
/** As a job writes it, which tells more than the checks go by. */
const threw = (t: number, pid: number, isLast: boolean): LedgerEvent => {
  return { ev: 'threw', t, id: 'a', pid, ...{ which: 0, isLast } };
};
const fault = (kind: FaultEvent['fault'], t: number, pid: number): LedgerEvent => {
  return { ev: 'fault', fault: kind, fromMs: t, toMs: t, pids: [pid] };
};

function countOf(what: string, events: readonly LedgerEvent[]): number | undefined {
  const floors = coverageOf(events, [], { seconds: 600, driver: 'redis' });
  return floors.find((floor) => floor.what === what)?.count;
}

test.each([
  ['ends while the later one runs', [started(0, 2), started(10, 3), ended('finished', 20, 2)], 1],
  ['ends before the later one starts', [started(0, 2), ended('finished', 5, 2), started(10, 3)], 0],
  ['ends after it', [started(0, 2), started(10, 3), ended('finished', 15, 3), ended('finished', 20, 2)], 0],
  ['is of another job', [started(0, 2), started(10, 3, 'b'), ended('finished', 20, 2)], 0],
  ['ends never', [started(0, 2), started(10, 3)], 0],
])('a handler that %s', (_, events, count) => {
  expect(countOf('handlers that ended while another worker ran their job', events)).toBe(count);
});

test.each([
  ['soon after a last throw', [started(0, 2), threw(10, 2, true), fault('kill', 100, 2)], 1],
  ['later than that', [started(0, 2), threw(10, 2, true), fault('kill', 200, 2)], 0],
  ['soon after another throw', [started(0, 2), threw(10, 2, false), fault('kill', 100, 2)], 0],
  ['of another process', [started(0, 2), threw(10, 2, true), fault('kill', 100, 3)], 0],
])('a kill %s', (_, events, count) => {
  expect(countOf('kills less than 150 ms after a last throw', events)).toBe(count);
});

test.each([
  [
    'soon after a SIGTERM to its command',
    [started(0, 2), fault('term', 10, 1), ended('aborted', 2000, 2)],
    1,
  ],
  ['long after it', [started(0, 2), fault('term', 10, 1), ended('aborted', 9000, 2)], 0],
  ['before it', [started(0, 2), ended('aborted', 5, 2), fault('term', 10, 1)], 0],
  [
    'after one that was met by another command',
    [started(0, 2), fault('term', 10, 9), ended('aborted', 99, 2)],
    0,
  ],
])('a handler that is aborted %s', (_, events, count) => {
  expect(countOf('long handlers aborted by a SIGTERM', events)).toBe(count);
});
