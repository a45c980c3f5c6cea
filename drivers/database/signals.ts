import type { SignalStore } from '../../src/index.js';
import type { SignalTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** A look takes signals along that were not read for so long. */
const staleMs = 800;
/**
 * After so long they are read by themselves. Idle workers look each three seconds by default: with this they read them
 * two times meanwhile, one of them along.
 */
const longestMs = 1600;

interface Watcher {
  readonly key: string;
  tell(value: string | null): void;
}

/** Signals to workers in a table of the database. */
export class DatabaseSignals<Connection> implements SignalStore {
  readonly #session: Session<Connection>;
  readonly #table: SignalTable<Connection>;
  readonly #onError: (error: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #askedAtMs = performance.now();
  #isLooking = false;

  /** @param onError is told what a reading of watched signals failed with. */
  constructor(
    session: Session<Connection>,
    table: SignalTable<Connection>,
    onError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#table = table;
    this.#onError = onError;
  }

  async read(key: string): Promise<string | null> {
    const values = await this.#session.run((connection) => this.#table.read(connection, [key]));
    return values.get(key) ?? null;
  }

  write(key: string, value: string): Promise<void> {
    return this.#session.run((connection) => this.#table.write(connection, key, value));
  }

  swap(key: string, expected: string | null, value: string): Promise<boolean> {
    return this.#session.run((connection) => this.#table.swap(connection, key, expected, value));
  }

  /** One statement reads all the keys that are watched, and is a look's where one comes in time. */
  watch(key: string, tell: (value: string | null) => void): () => void {
    const watcher = { key, tell };
    this.#watchers.add(watcher);
    if (this.#timer === undefined) this.#rest();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** The keys that a look shall read along: none while what is known is fresh. */
  toReadAlong(): readonly string[] {
    return performance.now() - this.#askedAtMs < staleMs ? [] : this.#ask();
  }

  /** Takes the values of keys that were asked for. */
  told(keys: readonly string[], values: ReadonlyMap<string, string>): void {
    for (const { key, tell } of [...this.#watchers]) if (keys.includes(key)) tell(values.get(key) ?? null);
  }

  #ask(): readonly string[] {
    this.#askedAtMs = performance.now();
    if (this.#timer !== undefined) this.#rest();
    return [...new Set([...this.#watchers].map(({ key }) => key))];
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), longestMs);
  }

  async #look(): Promise<void> {
    const keys = this.#ask();
    if (this.#isLooking) return; // a server that does not answer is asked once
    this.#isLooking = true;
    try {
      this.told(keys, await this.#session.run((connection) => this.#table.read(connection, keys)));
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isLooking = false;
    }
  }
}
