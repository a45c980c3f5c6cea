import type { MemoryEvent } from '../events.js';
import type { Invariant } from '../verdict.js';

/** 8: nothing is left in the store, among the processes and in the folders. */
export const noResidue: Invariant = {
  invariant: 8,
  name: 'residue',
  check({ remains }) {
    const left = Object.entries(remains.left).filter(([, count]) => count !== 0);
    const violations = left.map(([what, count]) => `left: ${what}: ${count}`);
    const looked = Object.keys(remains.left).length;
    return { violations, figures: { looked }, observed: looked > 0 };
  },
};

/** Until a process has loaded what it needs. */
const warmUpMs = 60_000;
/** Below that, how fast memory grows cannot be told from how garbage is collected. */
const slopeFromMs = 9 * 60_000;
const mostMiBPerMinute = 0.5;
const mostFiles = 6;

/** 9: processes that live long do not grow. */
export const boundedMemory: Invariant = {
  invariant: 9,
  name: 'memory',
  check({ ledger }) {
    const byProcess = new Map<string, MemoryEvent[]>();
    for (const event of ledger.events) {
      if (event.ev !== 'memory') continue;
      const key = `${event.pid} ${event.since}`;
      const all = byProcess.get(key);
      if (all) all.push(event);
      else byProcess.set(key, [event]);
    }
    const violations: string[] = [];
    const figures = { processes: 0, mostMiB: 0 };
    for (const all of byProcess.values()) {
      const pid = all[0]?.pid;
      const warm = all.filter(({ t }) => t >= (all[0]?.t ?? 0) + warmUpMs);
      if (warm.length < 10) continue;
      figures.processes += 1;
      const sizes = warm.map(({ rssMiB }) => rssMiB);
      const [most, median] = [Math.max(...sizes), medianOf(sizes)];
      figures.mostMiB = Math.max(figures.mostMiB, Math.round(most));
      if (most > 1.5 * median + 30)
        violations.push(`${pid} had ${most} MiB at its worst, ${median} as a rule`);
      const spanMs = (warm.at(-1)?.t ?? 0) - (warm[0]?.t ?? 0);
      const slope = miBPerMinute(warm);
      if (spanMs >= slopeFromMs && slope > mostMiBPerMinute)
        violations.push(`${pid} grew by ${slope.toFixed(2)} MiB a minute`);
      const files = warm.map((one) => one.files ?? 0);
      const [before, after] = [files.slice(0, quarterOf(files)), files.slice(-quarterOf(files))].map(
        medianOf,
      );
      // Connections that nobody has told to be dead are there beside those that replace them, for a while.
      if (Math.max(...files) > 1.5 * medianOf(files) + mostFiles || (after ?? 0) - (before ?? 0) > mostFiles)
        violations.push(`${pid} had ${before} to ${after} open files, ${Math.max(...files)} at most`);
    }
    return { violations, figures, observed: figures.processes > 0 };
  },
};

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function quarterOf(values: readonly unknown[]): number {
  return Math.ceil(values.length / 4);
}

/** Of the line through all points with the least squares. */
function miBPerMinute(points: readonly MemoryEvent[]): number {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanT = meanOf(points.map(({ t }) => t));
  const meanSize = meanOf(points.map(({ rssMiB }) => rssMiB));
  const covariance = points.reduce((sum, { t, rssMiB }) => sum + (t - meanT) * (rssMiB - meanSize), 0);
  const variance = points.reduce((sum, { t }) => sum + (t - meanT) ** 2, 0);
  return (covariance / variance) * 60_000;
}

/** 10: processes end as they should after what was done to them, and none says what none should. */
export const exitCodes: Invariant = {
  invariant: 10,
  name: 'exit codes',
  check({ ledger, rules }) {
    const exits = ledger.events.filter((event) => event.ev === 'exit');
    const complaints = ledger.events.filter((event) => event.ev === 'complaint');
    const violations = exits.flatMap(({ pid, cause, code, signal }) => {
      const how = signal ?? code ?? 'nothing';
      return rules.exits?.[cause]?.includes(how) ? [] : [`${pid} ended with ${how} after ${cause}`];
    });
    violations.push(...complaints.map(({ text }) => `somebody said: ${text}`));
    return { violations, figures: { exits: exits.length }, observed: exits.length > 0 };
  },
};

/** 12: workers without a job cost next to nothing. */
export const idleCost: Invariant = {
  invariant: 12,
  name: 'idle cost',
  check({ remains: { idle = {} } }) {
    const all = Object.entries(idle);
    const violations = all
      .filter(([, { value, most }]) => !(value <= most))
      .map(([what, { value, most }]) => `${what}: ${value}, at most ${most}`);
    const figures = Object.fromEntries(all.map(([what, { value }]) => [what, value]));
    return { violations, figures, observed: all.length > 0 };
  },
};
