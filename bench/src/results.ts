import { contenders, type Entry } from './contenders.js';
import { type Figures, type Findings, moreIsBetter } from './measures.js';
import { type Row, summarize } from './summary.js';
import { table } from './table.js';

/** What was measured, by figure and contender; and what was not, with the reason. */
export class Results {
  readonly #figures = new Map<string, Map<string, number[]>>();
  readonly #commands = new Map<string, Figures>();
  readonly #absent = new Map<string, string>();

  add(contender: string, { figures, commands = {} }: Findings): void {
    if (Object.keys(commands).length > 0) this.#commands.set(contender, commands);
    for (const [figure, value] of Object.entries(figures)) {
      const runs = this.#figures.get(figure) ?? new Map<string, number[]>();
      this.#figures.set(figure, runs);
      runs.set(contender, [...(runs.get(contender) ?? []), value]);
    }
  }

  /** @param what a contender, or one measure of it, that was not measured. */
  skip(what: string, why: string): void {
    this.#absent.set(what, why);
  }

  isSkipped(what: string): boolean {
    return this.#absent.has(what);
  }

  /** Tables of Markdown. */
  get text(): string {
    const tables = [...this.#figures].map(([figure, runs]) => table(figure, rowsOf(figure, runs)));
    const skipped = [...this.#absent].map(([what, why]) => `${what} skipped: ${why}`);
    const commands = [...this.#commands].map(([name, perJob]) => `- ${name}: ${commandText(perJob)}`);
    const title = '### server commands per job at concurrency 10, in and outside scripts\n';
    return [...tables, ...(commands.length > 0 ? [title, ...commands, ''] : []), ...skipped].join('\n');
  }

  toJSON(): object {
    return {
      figures: [...this.#figures].map(([figure, runs]) => ({
        figure,
        rows: rowsOf(figure, runs).map((row) => ({ ...row, runs: runs.get(row.contender) })),
      })),
      commandsPerJob: Object.fromEntries(this.#commands),
      skipped: Object.fromEntries(this.#absent),
    };
  }
}

function commandText(perJob: Figures): string {
  const often = Object.entries(perJob).filter(([, calls]) => calls >= 0.01);
  often.sort(([, a], [, b]) => b - a);
  return often.map(([name, calls]) => `${name} ${calls.toFixed(2)}`).join(', ');
}

function rowsOf(figure: string, runs: ReadonlyMap<string, readonly number[]>): Row[] {
  return summarize(runs, kindOf, moreIsBetter(figure));
}

function kindOf(name: string): Entry['kind'] {
  return contenders.find((entry) => entry.name === name)?.kind ?? 'peer';
}
