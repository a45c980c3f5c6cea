import type { Store } from './contender.js';
import { type Report, storeNames } from './report.js';
import type { Results } from './results.js';
import type { Row } from './summary.js';
import { amount } from './table.js';
import { type Bound, figures, type Target, targets } from './target-list.js';
import { judge } from './targets.js';

/** How figures are called in the overview, in its order. */
const titles: Readonly<Record<Bound['figure'], string>> = {
  'drain-1': 'handled, 1 at a time',
  'drain-10': 'handled, 10 at a time',
  'drain-100': 'handled, 100 at a time',
  'drain-2x10': 'handled by two processes',
  'drain-20k': 'handled, 20 KB a job',
  'drain-io': 'handled, 2 ms of waiting a job',
  'backlog-1k': 'handled, 1,000 waiting',
  'backlog-20k': 'handled, 20,000 waiting',
  'backlog-100k': 'handled, 100,000 waiting',
  'backlog-1m': 'handled, 1,000,000 waiting',
  'delayed-100k': 'handled, 100,000 delayed besides',
  'push-1': 'pushed, one at a time',
  'push-100': 'pushed, 100 under way',
  'push-bulk': 'pushed, 1,000 a call',
  'push-20k': 'pushed, one of 20 KB at a time',
  p50: 'push to handler, ms',
  cpu: 'CPU s for 10,000 jobs',
  memory: 'peak memory, MiB',
  cold: 'start to first job, ms',
};

const head: readonly string[] = ['', 'in process', '`queue:work`', 'best peer', 'bare loop', 'must', 'goal'];

/** What is shown on one line: a figure, measured with drover as it comes or with other settings. */
interface Line {
  readonly figure: Bound['figure'];
  readonly contender: string;
  readonly must: readonly Bound[];
  readonly goal: readonly Bound[];
}

/** A table of Markdown for each store: drover, the best peer and the best bare loop, and the targets. */
export function overview(report: Report): string {
  return report.stores
    .map((store) => `### ${storeNames[store]}\n\n${storeTable(store, report.of(store))}`)
    .join('\n\n');
}

function storeTable(store: Store, results: Results): string {
  const lines = linesOf(targets.filter((target) => target.store === store));
  const rows = lines.map((line) => cellsOf(line, results)).filter((cells) => cells !== undefined);
  const rule = head.map((_, column) => (column > 0 && column < 5 ? '---:' : '---'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** In the order of {@link titles}; what has no target is shown all the same. */
function linesOf(asked: readonly Target[]): Line[] {
  const must = asked.flatMap((target) => target.must ?? []);
  const goal = asked.flatMap((target) => target.goal ?? []);
  return (Object.keys(titles) as Bound['figure'][]).flatMap((figure) => {
    const ofFigure = [...must, ...goal].filter((bound) => bound.figure === figure);
    const contenders = new Set(['drover', ...ofFigure.map(contenderOf)]);
    if (figure === 'cold') contenders.delete('drover');
    return [...contenders].map((contender) => {
      const isAbout = (bound: Bound) => bound.figure === figure && contenderOf(bound) === contender;
      return { figure, contender, must: must.filter(isAbout), goal: goal.filter(isAbout) };
    });
  });
}

/** Undefined where it was not measured. */
function cellsOf({ figure, contender, must, goal }: Line, results: Results): string[] | undefined {
  const rows = results.rows(figures[figure]);
  const find = (name: string) => rows.find((row) => row.contender === name);
  const own = find(contender);
  if (own === undefined) return undefined;
  const ofKind = (kind: string) => rows.filter((row) => results.kindOf(row.contender) === kind);
  const isStrict = contender === 'drover-prefetch-0';
  const isCommand = contender === 'drover-cli';
  const command = isCommand || contender === 'drover' ? find('drover-cli') : undefined;
  return [
    isStrict ? `${titles[figure]}, without prefetch` : titles[figure],
    isCommand ? '' : amount(own.median),
    command === undefined ? '' : amount(command.median),
    named(best(ofKind('peer'), figure)),
    named(best(isStrict ? ofKind('raw').filter(isOneByOne) : ofKind('raw'), figure)),
    must.map((bound) => verdict(bound, results)).join('<br>'),
    goal.map((bound) => verdict(bound, results)).join('<br>'),
  ];
}

function best(rows: readonly Row[], figure: Bound['figure']): Row | undefined {
  const isMore = figures[figure].endsWith('jobs/s');
  return rows.toSorted((a, b) => (isMore ? b.median - a.median : a.median - b.median))[0];
}

function isOneByOne({ contender }: Row): boolean {
  return contender.endsWith('-1');
}

function named(row: Row | undefined): string {
  return row === undefined ? '' : `${row.contender} ${amount(row.median)}`;
}

function verdict(bound: Bound, results: Results): string {
  const { asked, reached, isMet } = judge(bound, results);
  const of = bound.of === undefined ? '' : ` ${bound.of.join(' or ')}`;
  if (reached === undefined) return `${asked}${of}: not measured`;
  return `${isMet ? 'met' : '**missed**'}: ${reached}${of} (${asked})`;
}

function contenderOf({ contender = 'drover' }: Bound): string {
  return contender;
}
