import type { Verdict } from '../conformance/index.js';
import type { Floor } from './coverage.js';

/** How a run ended. */
export interface Outcome {
  readonly title: string;
  readonly verdicts: readonly Verdict[];
  readonly floors: readonly Floor[];
  /** What was done, and how often. */
  readonly done: ReadonlyMap<string, number>;
  /** Where the ledgers are. */
  readonly folder: string;
  /** Removes them. */
  remove(): void;
}

/** The numbers of the invariants that did not hold. */
export function redOf({ verdicts }: Pick<Outcome, 'verdicts'>): number[] {
  return verdicts.filter(({ violations }) => violations.length > 0).map(({ invariant }) => invariant);
}

/** What was met too little for a verdict. */
export function voidOf({ floors }: Pick<Outcome, 'floors'>): readonly Floor[] {
  return floors.filter(({ count, least }) => count < least);
}

const mostShown = 8;

/** A run as lines for people. */
export function reportOf(outcome: Outcome): string {
  const { title, verdicts, floors, done } = outcome;
  const lines = [title, '', 'done'];
  for (const [what, count] of [...done].sort()) lines.push(`  ${String(count).padStart(6)}  ${what}`);
  lines.push('', 'met (at least)');
  for (const { what, count, least } of floors) {
    lines.push(`  ${String(count).padStart(6)}  ${what} (${least})${count < least ? '  TOO FEW' : ''}`);
  }
  lines.push('', 'invariants');
  for (const verdict of verdicts) lines.push(...linesOf(verdict));
  return lines.join('\n');
}

function linesOf({ invariant, name, violations, figures, observed }: Verdict): string[] {
  const state = violations.length > 0 ? 'RED' : observed ? 'green' : 'not seen';
  const numbers = Object.entries(figures).map(([what, value]) => `${what} ${Math.round(value * 100) / 100}`);
  const shown = violations.slice(0, mostShown).map((text) => `             ${text}`);
  if (violations.length > mostShown) shown.push(`             and ${violations.length - mostShown} more`);
  return [
    `  ${String(invariant).padStart(2)} ${name.padEnd(21)} ${state.padEnd(8)} ${numbers.join(', ')}`,
    ...shown,
  ];
}
