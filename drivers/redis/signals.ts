import type { SignalStore } from '../../src/index.js';
import type { Keys } from './keys.js';
import type { Session } from './session.js';

/** A reserve takes signals along that were not read for so long. */
const staleMs = 900;
/** How often it is looked whether reserves do so. */
const lookMs = 1000;

interface Watcher {
  readonly key: string;
  tell(value: string | null): void;
}

/** Signals in the same Redis as the jobs. While workers look for jobs, their reserves read signals along. */
export class RedisSignals implements SignalStore {
  readonly #session: Session;
  readonly #keys: Keys;
  readonly #onError: (error: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** @param onError told what a look between reserves failed with. */
  constructor(session: Session, keys: Keys, onError: (error: unknown) => void) {
    this.#session = session;
    this.#keys = keys;
    this.#onError = onError;
  }

  read(key: string): Promise<string | null> {
    return this.#session.run((redis) => redis.get(this.#keys.ofSignal(key)));
  }

  async write(key: string, value: string): Promise<void> {
    await this.#session.run((redis) => redis.set(this.#keys.ofSignal(key), value));
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
  due(): readonly string[] {
    if (this.#watchers.size === 0 || performance.now() - this.#askedAtMs < staleMs) return [];
    this.#askedAtMs = performance.now();
    return [...new Set([...this.#watchers].map(({ key }) => this.#keys.ofSignal(key)))];
  }

  /** Takes the value of a stored key. */
  told(storedKey: string, value: string | null): void {
    for (const { key, tell } of this.#watchers) if (this.#keys.ofSignal(key) === storedKey) tell(value);
  }

  /** Asks by itself where no reserve has done so. */
  async #look(): Promise<void> {
    try {
      for (const storedKey of performance.now() - this.#askedAtMs < lookMs + staleMs / 2 ? [] : this.due()) {
        this.told(storedKey, await this.#session.run((redis) => redis.get(storedKey)));
      }
    } catch (error) {
      this.#onError(error);
    }
  }
}
