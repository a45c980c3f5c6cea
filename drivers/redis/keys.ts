/** How many keys a queue has, in the order in which the scripts take them. */
export const keysPerQueue = 8;

/** How many queues' keys are kept: few applications have more queues. */
const mostKept = 1000;

/** The names of everything that one connection keeps in Redis. */
export class Keys {
  readonly #prefix: string;
  readonly #listOf: (queue: string) => string;
  readonly #ofQueues = new Map<string, readonly string[]>();

  /** @param listOf the wire's name for the list of a queue, without the prefix. */
  constructor(prefix: string, listOf: (queue: string) => string) {
    this.#prefix = prefix;
    this.#listOf = listOf;
  }

  /**
   * The list, delayed, reserved, ids, bodies, wake, watcher and leases of a queue: one slot of a cluster, by the braces of
   * the native names.
   */
  ofQueue(queue: string): readonly string[] {
    const known = this.#ofQueues.get(queue);
    if (known !== undefined) return known;
    const list = this.listOf(queue);
    const parts = [':delayed', ':reserved', ':ids', ':bodies', ':wake', ':watcher', ':leases'];
    const keys = [list, ...parts.map((part) => list + part)];
    if (this.#ofQueues.size === mostKept) this.#ofQueues.clear();
    this.#ofQueues.set(queue, keys);
    return keys;
  }

  /** The ready jobs of a queue. */
  listOf(queue: string): string {
    return this.#prefix + this.#listOf(queue);
  }

  /** Whoever takes what is pushed here looks for jobs of the queue. */
  wakeOf(queue: string): string {
    return `${this.listOf(queue)}:wake`;
  }

  /** Names for a queue's ids and bodies that exist only while a clear sorts them out. */
  ofClear(queue: string): readonly string[] {
    const list = this.listOf(queue);
    return [`${list}:ids:cleared`, `${list}:bodies:cleared`];
  }

  /** The mark that one push to a queue has if it must be repeated. */
  markOf(queue: string, push: string): string {
    return `${this.ofQueue(queue)[0]}:push:${push}`;
  }

  /** What the scripts of the failed-job store call records, times, jobs, uuids and names. */
  ofFailedJobs(): readonly string[] {
    return ['', ':times', ':jobs', ':uuids', ':names'].map((part) => `${this.#prefix}{drover}:failed${part}`);
  }

  /** The rows of statistics in their order, and their bodies. */
  ofStatistics(): readonly [order: string, bodies: string] {
    return [`${this.#prefix}{drover}:stats`, `${this.#prefix}{drover}:stats:bodies`];
  }

  /** The ended jobs in their order, their records, and the ends of each job. */
  ofHistory(): readonly string[] {
    return ['', ':records', ':jobs'].map((part) => `${this.#prefix}{drover}:history${part}`);
  }

  /** What live workers say of themselves, and when that is over. */
  ofWorkers(): readonly string[] {
    return ['', ':until'].map((part) => `${this.#prefix}{drover}:workers${part}`);
  }
}

/** Collects the queues that a call is about, and tells where each stands in KEYS. */
export class QueuePlaces {
  readonly keys: string[];
  readonly #keys: Keys;
  readonly #places = new Map<string, number>();

  constructor(keys: Keys, before: readonly string[] = []) {
    this.#keys = keys;
    this.keys = [...before];
  }

  /** From 1, as Lua counts. */
  placeOf(queue: string): number {
    let place = this.#places.get(queue);
    if (place === undefined) {
      place = this.keys.length + 1;
      this.#places.set(queue, place);
      this.keys.push(...this.#keys.ofQueue(queue));
    }
    return place;
  }
}
