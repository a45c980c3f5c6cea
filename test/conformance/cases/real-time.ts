import assert from 'node:assert/strict';
import type { ConformanceCase } from '../harness.js';
import { holds, job, pushAndReserve, reserveSoon } from '../steps.js';

const spanMs = 200;

/** How much earlier than by this process's clock a store may be: clocks differ in rate and precision. */
const toleranceMs = 20;

function heldBack(rule: string, startMs: number): void {
  const passedMs = performance.now() - startMs;
  assert.ok(
    passedMs >= spanMs - toleranceMs,
    `${rule}: it came after ${Math.round(passedMs)} of ${spanMs} ms`,
  );
}

/** The clock that the store has in production does pass; everything else is shown with `advance`. */
export const realTimeCases: readonly ConformanceCase[] = [
  {
    name: 'real time: a delay ends by itself, and not early',
    realTime: true,
    async run(harness) {
      const startMs = performance.now();
      await harness.connector.push('q', [job('a', { delayMs: spanMs })]);
      holds('the delayed job comes', (await reserveSoon('a delay ends', harness)).id, 'a');
      heldBack('a delayed job is not due before its delay', startMs);
    },
  },
  {
    name: 'real time: a point in time comes, and not early',
    realTime: true,
    async run(harness) {
      const startMs = performance.now();
      const availableAtMs = (await harness.now()) + spanMs;
      await harness.connector.push('q', [job('a', { availableAtMs })]);
      holds('the job for later comes', (await reserveSoon('a point in time comes', harness)).id, 'a');
      heldBack('a job is not due before availableAtMs', startMs);
    },
  },
  {
    name: 'real time: a release delay ends by itself, and not early',
    realTime: true,
    async run(harness) {
      const { lease } = await pushAndReserve(harness.connector);
      const startMs = performance.now();
      await harness.connector.release([{ lease, delayMs: spanMs }]);
      holds('the released job comes', (await reserveSoon('a release delay ends', harness)).attempts, 2);
      heldBack('a released job is not due before its delay', startMs);
    },
  },
  {
    name: 'real time: a lease lapses by itself, and not early',
    realTime: true,
    async run(harness) {
      await harness.connector.push('q', [job('a')]);
      const startMs = performance.now();
      await harness.connector.reserve(['q'], 1, spanMs);
      holds('the lapsed job comes', (await reserveSoon('a lease lapses', harness)).attempts, 2);
      heldBack('a reserved job is kept until its lease lapses', startMs);
    },
  },
];
