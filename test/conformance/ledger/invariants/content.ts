import type { Causes } from '../causes.js';
import type { JobStory } from '../ledger.js';
import type { Invariant } from '../verdict.js';

/**
 * 1: what was accepted has finished or is among the failed jobs. Where a replica took over right after a push, the push may
 * be undone: those are counted.
 */
export const noLoss: Invariant = {
  invariant: 1,
  name: 'no loss',
  check({ ledger, causes, remains }) {
    const failed = new Set(remains.failed.map(({ id }) => id));
    const figures = { accepted: 0, ambiguous: 0, finished: 0, failed: failed.size, undone: 0 };
    const violations: string[] = [];
    for (const { id, pushes, runs } of ledger.jobs.values()) {
      const isAccepted = pushes.some(({ outcome }) => outcome === 'ok');
      const isFinished = runs.some(({ end }) => end === 'finished');
      if (isAccepted) figures.accepted += 1;
      else if (pushes.length > 0) figures.ambiguous += 1;
      if (isFinished) figures.finished += 1;
      if (!isAccepted || isFinished || failed.has(id)) continue;
      if (mayBeUndone({ pushes }, causes)) figures.undone += 1;
      else
        violations.push(
          `${id} was accepted and is gone: started ${runs.length} times, neither finished nor failed`,
        );
    }
    return { violations, figures, observed: figures.accepted > 0 };
  },
};

function mayBeUndone({ pushes }: Pick<JobStory, 'pushes'>, causes: Causes): boolean {
  const accepted = pushes.filter(({ outcome }) => outcome === 'ok');
  return accepted.every(({ fromMs, toMs }) => causes.between(fromMs, toMs, ['failover']).length > 0);
}

/** 2: what runs, or is kept as failed, was pushed, and with these data; what was refused does not run. */
export const noInvention: Invariant = {
  invariant: 2,
  name: 'no invention',
  check({ ledger, remains }) {
    const violations: string[] = [];
    const seen = [...ledger.runs, ...remains.failed];
    for (const { id, hash } of seen) {
      const pushes = ledger.jobs.get(id)?.pushes ?? [];
      if (pushes.length === 0) violations.push(`${id} was never pushed`);
      else if (pushes.every((push) => push.hash !== hash))
        violations.push(`${id} has other data than were pushed`);
      else if (pushes.every(({ outcome }) => outcome === 'refused'))
        violations.push(`${id} was refused, and is there`);
    }
    return { violations, figures: { looked: seen.length }, observed: seen.length > 0 };
  },
};
