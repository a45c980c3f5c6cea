import type { FaultEvent } from '../events.js';
import type { Ledger, Run } from '../ledger.js';
import type { Evidence, Invariant } from '../verdict.js';
import { told } from './repeats.js';

/** A delay is measured from the store's receipt of the job: what rounding may take off it. */
const earlyMs = 50;
/** The share of late ones that a busy machine is forgiven. */
const mostLate = 0.01;

/**
 * 6: a job is taken once it is due: after its delay, and after the lease of whoever died with it. It is late where jobs of
 * its queue that were pushed long after it was due are started before it: so that a queue that is merely long is none of
 * its business.
 */
export const takenWhenDue: Invariant = {
  invariant: 6,
  name: 'taken when due',
  check(evidence) {
    const { ledger } = evidence;
    const overtakers = freshRuns(ledger);
    const figures = { delayed: 0, recovered: 0, late: 0, slowestRecoveryMs: 0 };
    const late: string[] = [];
    const early: string[] = [];
    for (const { run, dueMs, what } of awaited(evidence)) {
      figures[what] += 1;
      const takenMs = run.startedMs - dueMs;
      if (what === 'delayed' && takenMs < -earlyMs) early.push(`${told(run)} came ${-takenMs} ms early`);
      if (what === 'recovered') figures.slowestRecoveryMs = Math.max(figures.slowestRecoveryMs, takenMs);
      const latestMs = dueMs + evidence.rules.pollMs + evidence.rules.slackMs;
      if (
        run.startedMs <= latestMs ||
        evidence.causes.anyBetween(dueMs, run.startedMs, disturbing).length > 0
      )
        continue;
      const before = overtakers.get(run.queue)?.find((one) => one.pushedMs > latestMs);
      if (before && before.startedMs < run.startedMs) {
        late.push(`${told(run)} started ${Math.round(takenMs)} ms after it was due, after jobs pushed later`);
      }
    }
    figures.late = late.length;
    const isTooMuch = late.length > mostLate * (figures.delayed + figures.recovered);
    return {
      violations: isTooMuch ? [...early, ...late] : early,
      figures,
      observed: figures.delayed + figures.recovered > 0,
    };
  },
};

const disturbing = [
  'stop',
  'outage',
  'network',
  'failover',
  'kill',
  'death',
] as const satisfies FaultEvent['fault'][];

interface Awaited {
  readonly run: Run;
  readonly dueMs: number;
  readonly what: 'delayed' | 'recovered';
}

function* awaited({ ledger, rules }: Evidence): Iterable<Awaited> {
  const kills = ledger.faults.filter(({ fault }) => fault === 'kill');
  for (const { pushes, runs } of ledger.jobs.values()) {
    const [push] = pushes;
    const [first] = runs;
    if (push && first && push.delayMs > 0 && pushes.length === 1 && first.attempt === 1) {
      yield { run: first, dueMs: push.fromMs + push.delayMs, what: 'delayed' };
    }
    for (const [index, run] of runs.entries()) {
      const next = runs[index + 1];
      const killed = (pid: number | undefined) =>
        kills.find(({ pids, fromMs }) => pid !== undefined && pids?.includes(pid) && fromMs >= run.startedMs);
      const kill = run.end === undefined && next ? (killed(run.pid) ?? killed(run.parent)) : undefined;
      if (next && kill) yield { run: next, dueMs: kill.fromMs + rules.leaseMs, what: 'recovered' };
    }
  }
}

interface FreshRun {
  readonly pushedMs: number;
  readonly startedMs: number;
}

/** The first runs of jobs without delay, by queue, and by the time of their push. */
function freshRuns(ledger: Ledger): ReadonlyMap<string, readonly FreshRun[]> {
  const byQueue = new Map<string, FreshRun[]>();
  for (const { pushes, runs } of ledger.jobs.values()) {
    const [push] = pushes;
    const [first] = runs;
    if (!push || !first || push.delayMs > 0 || first.attempt > 1) continue;
    const list = byQueue.get(push.queue) ?? [];
    byQueue.set(push.queue, list);
    list.push({ pushedMs: push.fromMs, startedMs: first.startedMs });
  }
  for (const list of byQueue.values()) list.sort((a, b) => a.pushedMs - b.pushedMs);
  return byQueue;
}

/** 11: while jobs are due and a slot is free, some job starts. */
export const liveness: Invariant = {
  invariant: 11,
  name: 'liveness',
  check({ ledger, causes, rules }) {
    const longestMs = 3 * rules.pollMs + rules.slackMs;
    const looks = ledger.events.filter((event) => event.ev === 'depth');
    const violations: string[] = [];
    const figures = { looks: looks.length, longestStandstillMs: 0 };
    const at = runsAt(ledger.runs);
    let fromMs: number | undefined;
    for (const { t, ready } of looks) {
      const { running, lastStartMs } = at(t);
      const isIdle = ready > 0 && running < rules.slots;
      if (!isIdle || causes.anyBetween(t - longestMs, t, disturbing).length > 0) fromMs = undefined;
      else fromMs ??= t;
      if (fromMs === undefined) continue;
      fromMs = Math.max(fromMs, lastStartMs ?? fromMs);
      figures.longestStandstillMs = Math.max(figures.longestStandstillMs, t - fromMs);
      if (t - fromMs <= longestMs) continue;
      violations.push(`${ready} jobs were due and none started for ${Math.round(t - fromMs)} ms`);
      fromMs = undefined;
    }
    return { violations, figures, observed: looks.length > 0 };
  },
};

/** What runs at a moment, and when the last one began, to be asked for one moment after the other. */
function runsAt(
  runs: readonly Run[],
): (t: number) => { readonly running: number; readonly lastStartMs: number | undefined } {
  const starts = runs.map(({ startedMs }) => startedMs);
  const ends = runs.map(({ endedMs }) => endedMs).sort((a, b) => a - b);
  let [started, ended] = [0, 0];
  const isBy = (t: number, moment: number | undefined) => moment !== undefined && moment <= t;
  return (t) => {
    while (isBy(t, starts[started])) started += 1;
    while (isBy(t, ends[ended])) ended += 1;
    return { running: started - ended, lastStartMs: starts[started - 1] };
  };
}
