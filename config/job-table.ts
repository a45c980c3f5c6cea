import { type JobSource, QueueError } from '../src/index.js';

/** The jobs of a project by wire name, gathered from its files and its config. */
export class JobTable {
  readonly #jobs = new Map<string, { readonly source: JobSource; readonly origin: string }>();
  readonly #sources = new Set<JobSource>();
  readonly #duplicates: string[] = [];

  /**
   * Adds a job; one that is there already changes nothing.
   *
   * @param origin where it comes from, for errors.
   */
  add(name: string, source: JobSource, origin: string): void {
    if (this.#sources.has(source)) return;
    this.#sources.add(source);
    const other = this.#jobs.get(name);
    if (other) this.#duplicates.push(`two jobs have the name ${name}: ${other.origin} and ${origin}`);
    else this.#jobs.set(name, { source, origin });
  }

  /** @throws QueueError `E_JOB_DUPLICATE` naming the places of each name that was added twice. */
  toRecord(): Record<string, JobSource> {
    if (this.#duplicates.length > 0) {
      throw new QueueError('E_JOB_DUPLICATE', this.#duplicates.join('\n'), {
        fix: 'Give one of them another name, or leave its file out of `jobs` of the config.',
      });
    }
    // No prototype: a job may be called __proto__.
    const record: Record<string, JobSource> = Object.create(null);
    for (const [name, { source }] of this.#jobs) record[name] = source;
    return record;
  }
}
