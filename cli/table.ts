import Table from 'cli-table3';
import type { Colors } from './output.js';

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** What a table looks like. */
export interface TableOptions {
  /** Columns that hold numbers, from 0. */
  readonly numbers?: readonly number[];
  /** Width of the whole table; the last column is cut to fit. Default: no limit. */
  readonly width?: number;
}

/** The narrowest that a last column is cut to. */
const leastWidth = 24;

/** Rows under a heading, in columns without borders. Cells must have gone through `plain`. */
export function tableText(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Colors,
  options: TableOptions = {},
): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const last = widths.at(-1) ?? 0;
  const room = options.width === undefined ? last : Math.max(leastWidth, options.width - others);
  const table = new Table({
    head: heading.map((title) => colors.dim(title)),
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: [...widths.slice(0, -1), Math.min(last, room)],
    colAligns: heading.map((_, column) => (options.numbers?.includes(column) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
