import type { Causes } from './causes.js';
import type { LedgerRules, Remains } from './events.js';
import type { Ledger } from './ledger.js';

/** What one invariant says of a run. */
export interface Verdict {
  /** From 1 to 12. */
  readonly invariant: number;
  readonly name: string;
  /** A sentence for each time that it did not hold. */
  readonly violations: readonly string[];
  /** What it looked at, and what it measured. */
  readonly figures: Readonly<Record<string, number>>;
  /** False where the ledger holds nothing that it could be seen by: neither green nor red. */
  readonly observed: boolean;
}

/** What an invariant is judged by. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly causes: Causes;
  readonly remains: Remains;
  readonly rules: LedgerRules;
}

/** One of the twelve. */
export interface Invariant {
  readonly invariant: number;
  readonly name: string;
  check(evidence: Evidence): Omit<Verdict, 'invariant' | 'name'>;
}
