import { describe, expect, test } from 'vitest';
import {
  jobsLeft,
  type StopLimits,
  type StopReason,
  stopReason,
  type WorkerState,
} from '../../src/stop-conditions.js';

const noLimits: StopLimits = { once: false, maxJobs: 0, maxTimeMs: 0, memoryMiB: 0 };
const fresh: WorkerState = { started: 0, looks: 1, runningMs: 0, rssMiB: 100, stuck: 0, concurrency: 2 };

describe('a worker stops', () => {
  test.each<[string, Partial<StopLimits>, Partial<WorkerState>, StopReason | null]>([
    ['never without a limit', {}, { started: 1e9, runningMs: 1e12, rssMiB: 1e6, stuck: 1 }, null],
    ['not before its one job', { once: true }, {}, null],
    ['after its one job', { once: true }, { started: 1 }, 'once'],
    ['not before so many jobs', { maxJobs: 3 }, { started: 2 }, null],
    ['after so many jobs', { maxJobs: 3 }, { started: 3 }, 'max-jobs'],
    ['after more', { maxJobs: 3 }, { started: 4 }, 'max-jobs'],
    ['not before so long', { maxTimeMs: 100 }, { runningMs: 99.9 }, null],
    ['after so long', { maxTimeMs: 100 }, { runningMs: 100 }, 'max-time'],
    ['not at the memory limit', { memoryMiB: 100 }, { rssMiB: 100 }, null],
    ['above the memory limit', { memoryMiB: 100 }, { rssMiB: 100.01 }, 'memory'],
    ['not above the memory limit before its first look', { memoryMiB: 100 }, { looks: 0, rssMiB: 200 }, null],
    ['not while a slot is left', {}, { stuck: 1 }, null],
    ['when every slot is stuck', {}, { stuck: 2 }, 'stuck'],
    [
      'stuck before all',
      { once: true, maxJobs: 1, maxTimeMs: 1 },
      { stuck: 2, started: 1, runningMs: 1 },
      'stuck',
    ],
    ['once before max-jobs', { once: true, maxJobs: 1 }, { started: 1 }, 'once'],
    ['max-jobs before max-time', { maxJobs: 1, maxTimeMs: 1 }, { started: 1, runningMs: 1 }, 'max-jobs'],
    ['max-time before memory', { maxTimeMs: 1, memoryMiB: 1 }, { runningMs: 1 }, 'max-time'],
  ])('%s', (_, limits, state, reason) => {
    expect(stopReason({ ...noLimits, ...limits }, { ...fresh, ...state })).toBe(reason);
  });
});

describe('jobs left', () => {
  test.each<[Partial<StopLimits>, number, number]>([
    [{}, 0, Number.POSITIVE_INFINITY],
    [{}, 1e9, Number.POSITIVE_INFINITY],
    [{ once: true }, 0, 1],
    [{ once: true }, 1, 0],
    [{ once: true, maxJobs: 5 }, 0, 1],
    [{ maxJobs: 5 }, 0, 5],
    [{ maxJobs: 5 }, 4, 1],
    [{ maxJobs: 5 }, 5, 0],
    [{ maxJobs: 5 }, 6, 0],
  ])('%j after %d: %d', (limits, started, left) => {
    expect(jobsLeft({ ...noLimits, ...limits }, started)).toBe(left);
  });
});
