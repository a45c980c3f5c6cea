import { monotonicMs, type SignalStore } from '../../src/index.js';
import type { Commands } from './commands.js';
import { lookScript, swapScript } from './worker-scripts.js';
import type { RedisWorkers } from './workers.js';

/** A reserve takes signals along that were not read for so long. */
const staleMs = 900;
/** Where no reserve has done so in this time, a look does. A little more than an idle worker takes between reserves. */
const lookMs = 1100;
/** How often they are looked at where no reserve can do so. */
const lookElsewhereMs = 1000;

interface Watcher {
  readonly key: string;
  tell(value: string | null): void;
}

/** What a {@link RedisSignals} works with. */
export interface SignalsOptions {
  readonly session: Commands;
  readonly prefix: string;
  /** True where a reserve can read them along: they are in the jobs' own database. */
  readonly areWithJobs: boolean;
  /** Whose beats a look takes along, where it can. */
  readonly workers: RedisWorkers;
  /** Told what a look between reserves failed with. */
  onError(error: unknown): void;
}

/** Signals to workers: PHP keeps them in its cache, with a prefix and often a database of their own. */
export class RedisSignals implements SignalStore {
  readonly #options: SignalsOptions;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SignalsOptions) {
    this.#options = options;
  }

  read(key: string): Promise<string | null> {
    return this.#read(this.#options.prefix + key);
  }

  async write(key: string, value: string): Promise<void> {
    const { session, prefix } = this.#options;
    await session.run(prefix + key, (redis) => redis.set(prefix + key, value));
  }

  async swap(key: string, expected: string | null, value: string): Promise<boolean> {
    const { session, prefix } = this.#options;
    const args = [expected === null ? '0' : '1', expected ?? '', value];
    return (await session.script<number>(swapScript, [prefix + key], args)) === 1;
  }

  /** Ends the connection, which may be the jobs' own. */
  close(): Promise<void> {
    return this.#options.session.close();
  }

  watch(key: string, tell: (value: string | null) => void): () => void {
    const watcher = { key, tell };
    this.#watchers.add(watcher);
    const everyMs = this.#options.areWithJobs ? lookMs : lookElsewhereMs;
    this.#timer ??= setInterval(() => void this.#look(), everyMs);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** The stored keys that a reserve shall read along: none while what is known is fresh. */
  toReadAlong(): readonly string[] {
    return this.#options.areWithJobs && this.#ageMs >= staleMs ? this.#ask() : [];
  }

  /** Takes the value of a stored key. */
  told(storedKey: string, value: string | null): void {
    const { prefix } = this.#options;
    for (const { key, tell } of this.#watchers) if (prefix + key === storedKey) tell(value);
  }

  get #ageMs(): number {
    return monotonicMs() - this.#askedAtMs;
  }

  #ask(): readonly string[] {
    this.#askedAtMs = monotonicMs();
    this.#timer?.refresh();
    return [...new Set([...this.#watchers].map(({ key }) => this.#options.prefix + key))];
  }

  /** Asks by itself: no reserve has done so. */
  async #look(): Promise<void> {
    const { areWithJobs, onError } = this.#options;
    try {
      const keys = this.#ask();
      const values = areWithJobs ? await this.#readTogether(keys) : await Promise.all(keys.map(this.#read));
      for (const [index, key] of keys.entries()) this.told(key, values[index] ?? null);
    } catch (error) {
      onError(error);
    }
  }

  async #readTogether(keys: readonly string[]): Promise<(string | null)[]> {
    const { session, workers } = this.#options;
    const beats = workers.take();
    const [values, problem] = await session.script<[(Buffer | null)[], Buffer]>(
      lookScript,
      [...keys, ...(beats.length > 0 ? workers.keys : [])],
      [keys.length, ...beats],
    );
    workers.told(problem.toString());
    return values.map((value) => value?.toString() ?? null);
  }

  readonly #read = (storedKey: string): Promise<string | null> =>
    this.#options.session.run(storedKey, (redis) => redis.get(storedKey));
}
