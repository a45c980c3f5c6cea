import { basename, extname } from 'node:path';
import { type JobSource, QueueError } from '../src/index.js';

/** The jobs of a project by wire name, gathered from its files and its config. */
export class JobTable {
  readonly #jobs = new Map<
    string,
    { readonly source: JobSource; readonly origin: string; readonly file: string }
  >();
  readonly #sources = new Set<JobSource>();
  readonly #duplicates: string[] = [];

  /**
   * Adds a job; one that is there already changes nothing.
   *
   * @param origin where it comes from, for errors.
   * @param file the file it is in; empty for a job that the config holds itself.
   */
  add(name: string, source: JobSource, origin: string, file = ''): void {
    if (this.#sources.has(source)) return;
    this.#sources.add(source);
    const other = this.#jobs.get(name);
    if (!other) {
      this.#jobs.set(name, { source, origin, file });
      return;
    }
    const built = buildOutput(other.file, file);
    const hint = built === undefined ? '' : `; ${built} looks like build output`;
    this.#duplicates.push(`two jobs have the name ${name}: ${other.origin} and ${origin}${hint}`);
  }

  /** @throws QueueError `E_JOB_DUPLICATE` naming the places of each name that was added twice. */
  toRecord(): Record<string, JobSource> {
    if (this.#duplicates.length > 0) {
      throw new QueueError('E_JOB_DUPLICATE', this.#duplicates.join('\n'), {
        fix: "Give one of them another name, or leave its file out of `jobs` of the config: './jobs/**/*.{ts,mts}' takes no build output.",
      });
    }
    // No prototype: a job may be called __proto__.
    const record: Record<string, JobSource> = Object.create(null);
    for (const [name, { source }] of this.#jobs) record[name] = source;
    return record;
  }
}

/** The JavaScript one of two files that are the same but for the language. */
function buildOutput(one: string, two: string): string | undefined {
  const nameOf = (file: string) => basename(file, extname(file));
  const built = [one, two].filter((file) => /\.[cm]?js$/.test(file));
  const isPair = built.length === 1 && [one, two].some((file) => /\.[cm]?ts$/.test(file));
  return isPair && nameOf(one) === nameOf(two) ? built[0] : undefined;
}
