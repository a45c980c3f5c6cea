import { anyFault, type Causes, lengthOf } from '../causes.js';
import type { JobStory, Run } from '../ledger.js';
import type { Invariant } from '../verdict.js';

/** 3: what finished runs again only where a fault met the earlier run, or where it was pushed again. */
export const duplicatesExplained: Invariant = {
  invariant: 3,
  name: 'duplicates explained',
  check({ ledger, causes }) {
    const violations: string[] = [];
    const figures = { duplicates: 0, explained: 0, finished: 0 };
    for (const job of ledger.jobs.values()) {
      const done = job.runs.filter(({ end }) => end === 'finished');
      if (done.length > 0) figures.finished += 1;
      for (const [index, earlier] of done.slice(0, -1).entries()) {
        figures.duplicates += 1;
        const later = done[index + 1] as Run;
        const isMet = causes.ofRun(earlier, later.startedMs).length > 0;
        if (isMet || causes.wokeLate(later) || causes.mayBePushedAgain(job)) figures.explained += 1;
        else violations.push(`${told(earlier)} finished, met by no fault, and the job finished again`);
      }
    }
    return { violations, figures, observed: figures.finished > 0 };
  },
};

/** 4: no job runs twice at once, unless who had it stood still or was cut off for as long as a lease takes to lapse. */
export const noOverlap: Invariant = {
  invariant: 4,
  name: 'no overlap',
  check({ ledger, causes }) {
    const violations: string[] = [];
    const figures = { overlaps: 0, explained: 0 };
    for (const job of ledger.jobs.values()) {
      job.runs.forEach((later, index) => {
        for (const earlier of job.runs.slice(0, index)) {
          if (earlier.endedMs <= later.startedMs) continue;
          figures.overlaps += 1;
          const away = causes.ofRun(earlier, later.startedMs, ['stop', 'outage', 'network']);
          const awayMs = lengthOf(away);
          const isUndone = causes.ofRun(earlier, later.startedMs, ['failover']).length > 0;
          // Taken before the other one was, and called when its process went on.
          const isBelated =
            later.attempt !== earlier.attempt &&
            causes.wokeLate(later.attempt < earlier.attempt ? later : earlier);
          if (isUndone || isBelated || awayMs >= causes.leaseLeftMs || causes.mayBePushedAgain(job))
            figures.explained += 1;
          else violations.push(`${told(later)} started while ${told(earlier)} still ran`);
        }
      });
    }
    return { violations, figures, observed: ledger.runs.length > 0 };
  },
};

/**
 * 5: each delivery counts, and none comes after the last. The same attempt runs again only where its process died or was
 * stopped, or where a replica took over that had not heard of it; a job may have one run beyond its tries where processes died with it.
 */
export const attemptsCount: Invariant = {
  invariant: 5,
  name: 'attempts',
  check({ ledger, causes, rules }) {
    const violations: string[] = [];
    for (const job of ledger.jobs.values()) {
      for (const run of job.runs) violations.push(...beyondTries(run, job, causes, rules.tries));
      if (causes.mayBePushedAgain(job)) continue; // its counting began anew
      const runs = job.runs.filter((run, index) => !isOvertaken(run, job.runs.slice(0, index), causes));
      runs.forEach((run, index) => {
        const earlier = runs.slice(0, index);
        violations.push(
          ...miscounted(run, earlier.at(-1), job, causes),
          ...afterTheEnd(run, earlier, causes),
        );
      });
    }
    return { violations, figures: { runs: ledger.runs.length }, observed: ledger.runs.length > 0 };
  },
};

function beyondTries(run: Run, job: JobStory, causes: Causes, tries: number): string[] {
  if (run.attempt <= tries) return [];
  const isExcused = causes.anyBetween(pushedMs(job, run), run.startedMs, anyFault).length > 0;
  return isExcused && run.attempt <= tries + 1 ? [] : [`${told(run)} is beyond ${tries} tries`];
}

/** Called as its stopped process went on, when somebody else had run the job already. */
function isOvertaken(run: Run, earlier: readonly Run[], causes: Causes): boolean {
  return causes.wokeLate(run) && earlier.some(({ attempt }) => attempt >= run.attempt);
}

function miscounted(run: Run, before: Run | undefined, job: JobStory, causes: Causes): string[] {
  const step = run.attempt - (before?.attempt ?? 0);
  if (step === 1) return [];
  const fromMs = before?.startedMs ?? pushedMs(job, run);
  if (causes.between(fromMs, run.startedMs, ['failover']).length > 0) return [];
  // Nobody gives back what still runs.
  if (before && step < 1 && before.endedMs > run.startedMs)
    return [`${told(run)} began during ${told(before)}`];
  // Without a start: who had reserved it did not live to do so. The same attempt: it was given back.
  const faults = causes.anyBetween(fromMs, run.startedMs, anyFault);
  if (faults.length > 0 && (before ? step >= 0 : step > 0)) return [];
  return [before ? `${told(run)} follows ${told(before)}` : `${told(run)} is the first start`];
}

function afterTheEnd(run: Run, earlier: readonly Run[], causes: Causes): string[] {
  const done = earlier.find(
    (one) =>
      one.end === 'finished' &&
      one.endedMs <= run.startedMs &&
      !causes.wokeLate(one) &&
      causes.ofRun(one, run.startedMs).length === 0,
  );
  return done ? [`${told(run)} came after ${told(done)} had finished, met by no fault`] : [];
}

function pushedMs({ pushes }: JobStory, run: Run): number {
  return pushes[0]?.fromMs ?? run.startedMs;
}

/** A run, for people. */
export function told({ id, pid, attempt }: Run): string {
  return `${id} (attempt ${attempt} in ${pid})`;
}
