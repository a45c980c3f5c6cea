import type { Sight } from './dialect.js';

/** A row of a look: the first column is of the one about jobs, the others of one for each signal. */
export interface LookRow {
  readonly ms: string | number | null;
  readonly name: string | null;
  readonly value: string | null;
}

/** What the rows of a look tell. */
export function sightOf(rows: readonly LookRow[]): Sight {
  const signals = new Map<string, string>();
  let msUntilDue = Number.POSITIVE_INFINITY;
  for (const { ms, name, value } of rows) {
    if (name !== null) signals.set(name, value ?? '');
    else if (ms !== null) msUntilDue = Number(ms);
  }
  return { msUntilDue, signals };
}
