import type { Row } from './summary.js';

/** A figure as a table of Markdown, aligned for terminals too. */
export function table(figure: string, rows: readonly Row[]): string {
  const raws = Object.keys(rows[0]?.ofRaw ?? {});
  const head = ['', 'median', 'min', 'max', 'of best peer', ...raws.map((name) => `of ${name}`)];
  const cells = rows.map((row) => [
    row.contender,
    amount(row.median),
    amount(row.min),
    amount(row.max),
    ratio(row.ofBestPeer),
    ...raws.map((name) => ratio(row.ofRaw[name])),
  ]);
  return [`### ${figure}`, '', ...aligned([head, ...cells]), ''].join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const [first = [], ...rest] = rows;
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => padded(cell, column, widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => '-'.repeat(width + 1) + (column === 0 ? '-' : ':')).join('|')}|`;
  return [line(first), rule, ...rest.map(line)];
}

function padded(cell: string, column: number, width: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** A median as it is shown. */
export function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

function ratio(value: number | undefined): string {
  return value === undefined ? '' : `${value.toFixed(2)}×`;
}
