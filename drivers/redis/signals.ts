import type { SignalStore } from '../../src/index.js';
import type { Commands } from './commands.js';

/** A reserve takes signals along that were not read for so long. */
const staleMs = 900;
/** How often it is looked whether reserves do so. */
const lookMs = 1000;

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

  /** Ends the connection, which may be the jobs' own. */
  close(): Promise<void> {
    return this.#options.session.close();
  }

  watch(key: string, tell: (value: string | null) => void): () => void {
    const watcher = { key, tell };
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => void this.#look(), lookMs);
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
    return performance.now() - this.#askedAtMs;
  }

  #ask(): readonly string[] {
    this.#askedAtMs = performance.now();
    return [...new Set([...this.#watchers].map(({ key }) => this.#options.prefix + key))];
  }

  /** Asks by itself where no reserve has done so. */
  async #look(): Promise<void> {
    const { areWithJobs, onError } = this.#options;
    if (areWithJobs && this.#ageMs < lookMs + staleMs / 2) return;
    try {
      for (const storedKey of this.#ask()) this.told(storedKey, await this.#read(storedKey));
    } catch (error) {
      onError(error);
    }
  }

  #read(storedKey: string): Promise<string | null> {
    return this.#options.session.run(storedKey, (redis) => redis.get(storedKey));
  }
}
