import type { Store } from './contender.js';
import { type Report, storeNames } from './report.js';
import type { Results } from './results.js';
import type { Row } from './summary.js';

/** The figures in the chart, and how they are called there. */
const shown: Readonly<Record<string, string>> = {
  'drain: concurrency 10, jobs/s': 'handled, concurrency 10',
  'push: one at a time, jobs/s': 'pushed, one at a time',
  'push: 1,000 a call, jobs/s': 'pushed, 1,000 a call',
};

const width = 760;
const barsFrom = 190;
const barsTo = 690;
const barHeight = 13;
const rowHeight = 18;
const gap = 12;

// With a ground of its own: a page may be dark where the system is light.
const style = `
  .ground { fill: #ffffff; }
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .store { font-size: 16px; font-weight: 600; }
  .figure { fill: #57606a; }
  .drover { fill: #0969da; } .peer { fill: #8c959f; } .raw { fill: none; stroke: #8c959f; stroke-dasharray: 3 2; }
  .grid { stroke: #8c959f; stroke-opacity: .35; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #e6edf3; } .figure { fill: #9198a1; }
    .drover { fill: #4493f8; } .peer { fill: #656c76; } .raw { stroke: #656c76; }
  }`;

interface Drawing {
  readonly lines: string[];
  y: number;
}

/** Jobs a second of drover, its peers and the bare loops, as horizontal bars on a logarithmic scale, in SVG. */
export function chart(report: Report): string {
  const drawing: Drawing = { lines: [], y: 8 };
  const stores = report.stores.filter((store) => store !== 'sync');
  const all = stores.flatMap((store) =>
    Object.keys(shown).flatMap((figure) => rowsOf(report.of(store), figure)),
  );
  const place = scale(all.map((row) => row.median));
  for (const store of stores) drawStore(drawing, store, report.of(store), place);
  const height = drawing.y + 24;
  const grid = powers(all).map((value) => gridLine(value, place(value), height));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Jobs a second of drover and other queues, by store</title>',
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    ...grid,
    ...drawing.lines,
    '</svg>',
    '',
  ].join('\n');
}

function drawStore(drawing: Drawing, store: Store, results: Results, place: (value: number) => number): void {
  drawing.y += 22;
  drawing.lines.push(text(8, drawing.y, storeNames[store], 'store'));
  for (const [figure, title] of Object.entries(shown)) {
    const rows = rowsOf(results, figure);
    if (rows.length === 0) continue;
    drawing.y += rowHeight;
    drawing.lines.push(text(8, drawing.y, `${title}, jobs a second`, 'figure'));
    for (const row of rows) drawBar(drawing, row, results.kindOf(row.contender), place(row.median));
    drawing.y += gap;
  }
}

function drawBar(drawing: Drawing, { contender, median }: Row, kind: string, to: number): void {
  drawing.y += rowHeight;
  const length = Math.max(1, to - barsFrom).toFixed(1);
  const top = drawing.y - barHeight + 2;
  drawing.lines.push(
    text(barsFrom - 8, drawing.y, labelOf(contender), undefined, 'end'),
    `<rect class="${kind}" x="${barsFrom}" y="${top}" width="${length}" height="${barHeight}" rx="2"/>`,
    text(to + 6, drawing.y, Math.round(median).toLocaleString('en-US')),
  );
}

/** drover first, then the others from the best down; of the bare loops the fastest. */
function rowsOf(results: Results, figure: string): Row[] {
  const rank = { drover: 0, peer: 1, raw: 2 };
  const rankOf = (row: Row) => rank[results.kindOf(row.contender)];
  const sorted = results.rows(figure).sort((a, b) => rankOf(a) - rankOf(b) || b.median - a.median);
  const raw = sorted.find((row) => rankOf(row) === rank.raw);
  return sorted.filter((row) => rankOf(row) !== rank.raw || row === raw).filter(isOwn);
}

/** Leaves out the same thing with other settings. */
function isOwn({ contender }: Row): boolean {
  return contender !== 'drover-prefetch-0' && !contender.endsWith('-default');
}

function labelOf(contender: string): string {
  return contender === 'drover-cli' ? 'drover queue:work' : contender;
}

function powers(rows: readonly Row[]): number[] {
  const most = Math.max(...rows.map((row) => row.median), 1);
  return [100, 1000, 10_000, 100_000, 1_000_000].filter((value) => value <= most);
}

/** Places on the axis, which is logarithmic and begins below the smallest value. */
function scale(values: readonly number[]): (value: number) => number {
  const low = Math.log10(Math.min(...values, 100)) - 0.3;
  const high = Math.log10(Math.max(...values, 1000));
  return (value) => barsFrom + ((Math.log10(value) - low) / (high - low)) * (barsTo - barsFrom);
}

function gridLine(value: number, x: number, height: number): string {
  const at = x.toFixed(1);
  const label = text(x, height - 6, value.toLocaleString('en-US'), 'figure', 'middle');
  return `<line class="grid" x1="${at}" x2="${at}" y1="8" y2="${height - 20}"/>${label}`;
}

function text(x: number, y: number, content: string, kind?: string, anchor?: string): string {
  const attributes = [kind && ` class="${kind}"`, anchor && ` text-anchor="${anchor}"`]
    .filter(Boolean)
    .join('');
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes}>${content}</text>`;
}
