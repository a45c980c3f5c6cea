import type { Report } from './report.js';
import type { Results } from './results.js';
import { type Bound, figures, type Target, targets } from './target-list.js';

/** The targets beside what was measured, as a table of Markdown; those whose figures are absent say so. */
export function targetsText(report: Report): string {
  const stores = new Set(report.stores);
  const lines = targets
    .filter(({ store }) => stores.has(store))
    .flatMap((target) => linesOf(target, report.of(target.store)));
  const met = (kind: string) => lines.filter((line) => line[1] === kind && line[5] === 'met').length;
  const all = (kind: string) => lines.filter((line) => line[1] === kind).length;
  const head = ['target', '', 'asked', 'measured', 'of', ''];
  const rows = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  return `${rows.join('\n')}\n\n${met('must')} of ${all('must')} musts and ${met('goal')} of ${all('goal')} goals are met.`;
}

function linesOf({ store, name, must = [], goal = [] }: Target, results: Results): string[][] {
  const line = (kind: string) => (bound: Bound) => {
    const { asked, reached = '–', isMet } = judge(bound, results);
    const { figure, contender = 'drover', of } = bound;
    const what = `${figures[figure]}, ${contender}${of === undefined ? '' : ` by ${of.join(' or ')}`}`;
    const verdict = { true: 'met', false: 'missed', undefined: 'not measured' }[`${isMet}`];
    return [`${store}: ${name}`, kind, asked, reached, what, verdict];
  };
  return [...must.map(line('must')), ...goal.map(line('goal'))];
}

/** What is asked, and what was measured; the latter is absent where it was not. */
export interface Judgement {
  readonly asked: string;
  readonly reached?: string;
  readonly isMet?: boolean;
}

/** Holds what was measured against what is asked. */
export function judge(bound: Bound, results: Results): Judgement {
  const { figure, contender = 'drover', of, least, most } = bound;
  const asked = least === undefined ? `≤ ${shown(most ?? 0, of)}` : `≥ ${shown(least, of)}`;
  const own = medianOf(results, figures[figure], [contender]);
  const base = of === undefined ? 1 : baseOf(results, of, figure);
  if (own === undefined || base === undefined) return { asked };
  const ratio = own / base;
  const isMet = least === undefined ? ratio <= (most ?? 0) : ratio >= least;
  return { asked, reached: shown(ratio, of), isMet };
}

function shown(value: number, of: unknown): string {
  if (of !== undefined) return `${value.toFixed(2)}×`;
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(2);
}

/** The best of the named contenders; `peers` are all peers, and `drover itself` is drover on another figure. */
function baseOf(results: Results, of: readonly string[], figure: Bound['figure']): number | undefined {
  if (of[0] === 'drover at 20,000') return medianOf(results, figures['backlog-20k'], ['drover']);
  const rows = results.rows(figures[figure]);
  const isPeer = (name: string) => results.kindOf(name) === 'peer';
  const names = of[0] === 'best peer' ? rows.map((row) => row.contender).filter(isPeer) : of;
  return medianOf(results, figures[figure], names);
}

/** The best median of some contenders. */
function medianOf(results: Results, figure: string, names: readonly string[]): number | undefined {
  const found = results.rows(figure).filter((row) => names.includes(row.contender));
  if (found.length === 0) return undefined;
  const medians = found.map((row) => row.median);
  return figure.endsWith('jobs/s') ? Math.max(...medians) : Math.min(...medians);
}
