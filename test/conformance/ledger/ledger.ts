import type { FaultEvent, LedgerEvent, RunEndEvent } from './events.js';

/** One call of a handler. */
export interface Run {
  readonly id: string;
  readonly queue: string;
  readonly pid: number;
  readonly parent: number | undefined;
  readonly attempt: number;
  readonly hash: string;
  readonly startedMs: number;
  /** How it ended; undefined where nothing was written any more. */
  readonly end: RunEndEvent['ev'] | undefined;
  /** When it ended, at the latest when its process did; its start where nothing is known. */
  readonly endedMs: number;
  /** When its worker said that the job is deleted. */
  readonly settledMs?: number;
}

/** One push of an id. */
interface Push {
  readonly queue: string;
  readonly hash: string;
  readonly delayMs: number;
  readonly fromMs: number;
  /** Infinity where the producer did not live to hear of it. */
  readonly toMs: number;
  readonly outcome: 'ok' | 'err' | 'refused' | undefined;
}

/** All that is known of one id. */
export interface JobStory {
  readonly id: string;
  readonly pushes: readonly Push[];
  /** By the time of their start. */
  readonly runs: readonly Run[];
}

/** The events of a run, by what they are about. */
export interface Ledger {
  readonly jobs: ReadonlyMap<string, JobStory>;
  /** By the time of their start. */
  readonly runs: readonly Run[];
  readonly faults: readonly FaultEvent[];
  readonly events: readonly LedgerEvent[];
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sorts events, in whatever order they come, into pushes and runs of jobs. */
export function toLedger(unordered: readonly LedgerEvent[]): Ledger {
  const events = [...unordered].sort((a, b) => timeOf(a) - timeOf(b));
  const faults = events.filter((event) => event.ev === 'fault');
  const pushes = new Map<string, Writable<Push>[]>();
  const runs = new Map<string, Writable<Run>[]>();
  for (const event of events) {
    if (event.ev === 'intent') {
      const { queue, hash, delayMs = 0, t } = event;
      const toMs = Number.POSITIVE_INFINITY;
      listOf(pushes, event.id).push({ queue, hash, delayMs, fromMs: t, toMs, outcome: undefined });
    } else if (event.ev === 'ok' || event.ev === 'err') {
      const push = listOf(pushes, event.id).at(-1);
      const isRefused = event.ev === 'err' && event.ambiguous === false;
      if (push) Object.assign(push, { outcome: isRefused ? 'refused' : event.ev, toMs: event.t });
    } else if (event.ev === 'started') {
      const { ev: _, t, parent, ...run } = event;
      listOf(runs, event.id).push({ ...run, parent, startedMs: t, end: undefined, endedMs: t });
    } else if (event.ev === 'settled') {
      const run = listOf(runs, event.id).findLast(({ attempt }) => attempt === event.attempt);
      if (run) run.settledMs = event.t;
    } else if (isRunEnd(event)) {
      const run = listOf(runs, event.id).findLast(({ pid, end }) => pid === event.pid && isOpen(end));
      if (run) Object.assign(run, { end: event.ev, endedMs: event.t });
    }
  }
  const all = [...runs.values()].flat();
  endWithTheirProcesses(all, faults);
  const ids = new Set([...pushes.keys(), ...runs.keys()]);
  const jobs = [...ids].map(
    (id) => [id, { id, pushes: listOf(pushes, id), runs: listOf(runs, id) }] as const,
  );
  return { jobs: new Map(jobs), runs: all.sort((a, b) => a.startedMs - b.startedMs), faults, events };
}

/** An aborted handler may still say how it ended. */
function isOpen(end: Run['end']): boolean {
  return end === undefined || end === 'aborted';
}

function isRunEnd(event: LedgerEvent): event is RunEndEvent {
  return ['finished', 'threw', 'released', 'aborted'].includes(event.ev);
}

/** A handler of which nothing is heard any more ran until its process was killed. */
function endWithTheirProcesses(runs: readonly Writable<Run>[], faults: readonly FaultEvent[]): void {
  const ends = faults.filter(({ fault }) => fault === 'kill' || fault === 'death');
  for (const run of runs) {
    if (run.end !== undefined) continue;
    const end = ends.find(({ pids, fromMs }) => pids?.includes(run.pid) && fromMs >= run.startedMs);
    if (end) run.endedMs = end.fromMs;
  }
}

function timeOf(event: LedgerEvent): number {
  return event.ev === 'fault' ? event.fromMs : event.t;
}

function listOf<T>(lists: Map<string, T[]>, id: string): T[] {
  const list = lists.get(id) ?? [];
  lists.set(id, list);
  return list;
}
