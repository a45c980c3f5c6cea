import type { Entry } from './contenders.js';

/** What the repetitions of one figure came to. */
export interface Row {
  readonly contender: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The median as a multiple of the best peer's; absent where no peer was measured. */
  readonly ofBestPeer?: number;
  /** The median as a multiple of each bare loop's, by its name. */
  readonly ofRaw: Readonly<Record<string, number>>;
}

/** Sums up one figure. `runs` has the values of each contender, by name. */
export function summarize(
  runs: ReadonlyMap<string, readonly number[]>,
  kindOf: (contender: string) => Entry['kind'],
  moreIsBetter: boolean,
): Row[] {
  const rows = [...runs].map(([contender, values]) => ({
    contender,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  }));
  const ofKind = (kind: Entry['kind']) => rows.filter((row) => kindOf(row.contender) === kind);
  const peers = ofKind('peer').map((row) => row.median);
  const bestPeer = moreIsBetter ? Math.max(...peers) : Math.min(...peers);
  return rows.map((row) => ({
    ...row,
    ...(peers.length > 0 && { ofBestPeer: row.median / bestPeer }),
    ofRaw: Object.fromEntries(ofKind('raw').map((raw) => [raw.contender, row.median / raw.median])),
  }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}
