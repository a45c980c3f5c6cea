import type { Store } from './contender.js';
import { contenderOf, type Entry, runtimeOf } from './contenders.js';
import type { Figures, Findings } from './measures/setting.js';
import { moreIsBetter } from './measures.js';
import { ownNode } from './runtimes.js';
import { type Row, summarize } from './summary.js';
import { table } from './table.js';

/** The results of a store as they stand in a file. */
export interface Saved {
  readonly figures: readonly {
    readonly figure: string;
    readonly rows: readonly { readonly contender: string; readonly runs: readonly number[] }[];
  }[];
  /** How often the server did each thing per job, by contender. */
  readonly serverPerJob: Readonly<Record<string, Figures>>;
  readonly skipped: Readonly<Record<string, string>>;
  /** The version of Node by contender, where it is not that of the benchmark. */
  readonly otherNodes: Readonly<Record<string, string>>;
}

/** What was measured on a store, by figure and contender; and what was not, with the reason. */
export class Results {
  readonly #store: Store;
  readonly #figures = new Map<string, Map<string, number[]>>();
  readonly #server = new Map<string, Figures>();
  readonly #absent = new Map<string, string>();
  readonly #nodes = new Map<string, string>();

  constructor(store: Store) {
    this.#store = store;
  }

  add(contender: string, { figures, commands = {} }: Findings): void {
    if (Object.keys(commands).length > 0) this.#server.set(contender, commands);
    const version = runtimeOf(contenderOf(this.#store, contender))?.version;
    if (version !== undefined && version !== ownNode.version) this.#nodes.set(contender, version);
    for (const [figure, value] of Object.entries(figures)) this.#addRuns(figure, contender, [value]);
  }

  /** Adds what was saved: more repetitions, or other figures. */
  merge({ figures, serverPerJob, skipped, otherNodes }: Saved): void {
    for (const { figure, rows } of figures) {
      for (const { contender, runs } of rows) this.#addRuns(figure, contender, runs);
    }
    for (const [contender, counts] of Object.entries(serverPerJob)) this.#server.set(contender, counts);
    for (const [what, why] of Object.entries(skipped)) this.#absent.set(what, why);
    for (const [contender, version] of Object.entries(otherNodes)) this.#nodes.set(contender, version);
  }

  /** @param what a contender, or one measure of it, that was not measured. */
  skip(what: string, why: string): void {
    this.#absent.set(what, why);
  }

  isSkipped(what: string): boolean {
    return this.#absent.has(what);
  }

  /** The rows of a figure; none where it was not measured. */
  rows(figure: string): Row[] {
    const runs = this.#figures.get(figure) ?? new Map<string, readonly number[]>();
    return summarize(runs, (name) => this.kindOf(name), moreIsBetter(figure));
  }

  kindOf(contender: string): Entry['kind'] {
    return contenderOf(this.#store, contender).kind;
  }

  /** Tables of Markdown. */
  get text(): string {
    const tables = [...this.#figures.keys()].map((figure) => table(figure, this.rows(figure)));
    const skipped = [...this.#absent].map(([what, why]) => `- ${what} skipped: ${why.split('\n')[0]}`);
    const server = [...this.#server].map(([name, perJob]) => `- ${name}: ${countsText(perJob)}`);
    const nodes = [...this.#nodes].map(([name, version]) => `- ${name} ran on Node ${version}`);
    const title = '### what the server did per job at concurrency 10, in and outside scripts\n';
    return [...tables, ...(server.length > 0 ? [title, ...server, ''] : []), ...nodes, ...skipped].join('\n');
  }

  toJSON(): Saved {
    return {
      figures: [...this.#figures].map(([figure, runs]) => ({
        figure,
        rows: this.rows(figure).map((row) => ({ ...row, runs: runs.get(row.contender) ?? [] })),
      })),
      serverPerJob: Object.fromEntries(this.#server),
      skipped: Object.fromEntries(this.#absent),
      otherNodes: Object.fromEntries(this.#nodes),
    };
  }

  #addRuns(figure: string, contender: string, values: readonly number[]): void {
    const runs = this.#figures.get(figure) ?? new Map<string, number[]>();
    this.#figures.set(figure, runs);
    runs.set(contender, [...(runs.get(contender) ?? []), ...values]);
  }
}

function countsText(perJob: Figures): string {
  const often = Object.entries(perJob).filter(([, calls]) => calls >= 0.01);
  often.sort(([, a], [, b]) => b - a);
  return often.map(([name, calls]) => `${name} ${calls.toFixed(2)}`).join(', ');
}
