import { Causes } from './causes.js';
import type { LedgerEvent, LedgerRules, Remains } from './events.js';
import { noInvention, noLoss } from './invariants/content.js';
import { inOrder } from './invariants/order.js';
import { boundedMemory, exitCodes, idleCost, noResidue } from './invariants/processes.js';
import { attemptsCount, duplicatesExplained, noOverlap } from './invariants/repeats.js';
import { liveness, takenWhenDue } from './invariants/timing.js';
import { toLedger } from './ledger.js';
import type { Verdict } from './verdict.js';

const invariants = [
  noLoss,
  noInvention,
  duplicatesExplained,
  noOverlap,
  attemptsCount,
  takenWhenDue,
  inOrder,
  noResidue,
  boundedMemory,
  exitCodes,
  liveness,
  idleCost,
];

/**
 * Judges a run of producers and workers, among processes that were killed and stores that went away, by what they wrote
 * down: twelve verdicts, in the order of their numbers. Pure: it looks at nothing but what it is given.
 */
export function checkLedger(
  events: readonly LedgerEvent[],
  remains: Remains,
  rules: LedgerRules,
): readonly Verdict[] {
  const ledger = toLedger(events);
  const evidence = { ledger, causes: new Causes(ledger, rules), remains, rules };
  return invariants.map(({ invariant, name, check }) => ({ invariant, name, ...check(evidence) }));
}
