/** The names of everything that one connection keeps in Redis. All are in one slot of a cluster, by the braces. */
export class Keys {
  /** Stands before what is drover's own. */
  readonly own: string;
  readonly #base: string;

  constructor(prefix: string) {
    this.#base = `${prefix}{redis-queue}-`;
    this.own = `${this.#base}drover:`;
  }

  /** What the scripts call delayed, failed, leases, held, ids and waiting: the last is the start of a name. */
  get all(): readonly string[] {
    const base = this.#base;
    const own = ['leases', 'held', 'ids'].map((name) => this.own + name);
    return [`${base}delayed`, `${base}failed`, ...own, `${base}waiting`];
  }

  /** The packages of a queue that are due. */
  waitingOf(queue: string): string {
    return `${this.#base}waiting${queue}`;
  }

  /** All packages that were given up. */
  get failed(): string {
    return `${this.#base}failed`;
  }

  /** What is there once a push was done. */
  markOf(push: string): string {
    return `${this.own}push:${push}`;
  }

  /** Which failed package belongs to which record: by uuid, and by the digest of the package. */
  get listed(): readonly string[] {
    return [`${this.own}failed:members`, `${this.own}failed:uuids`];
  }
}
