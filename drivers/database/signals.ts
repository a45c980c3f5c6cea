import type { SignalStore } from '../../src/index.js';
import type { SignalTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** How often watched signals are read. */
const lookMs = 1000;

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
  #isLooking = false;

  /** @param onError told what a look at watched signals failed with. */
  constructor(
    session: Session<Connection>,
    table: SignalTable<Connection>,
    onError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#table = table;
    this.#onError = onError;
  }

  read(key: string): Promise<string | null> {
    return this.#session.run((connection) => this.#table.read(connection, key));
  }

  write(key: string, value: string): Promise<void> {
    return this.#session.run((connection) => this.#table.write(connection, key, value));
  }

  swap(key: string, expected: string | null, value: string): Promise<boolean> {
    return this.#session.run((connection) => this.#table.swap(connection, key, expected, value));
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

  async #look(): Promise<void> {
    if (this.#isLooking) return; // what does not answer is asked once
    this.#isLooking = true;
    try {
      await this.#session.run(async (connection) => {
        for (const { key, tell } of [...this.#watchers]) tell(await this.#table.read(connection, key));
      });
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isLooking = false;
    }
  }
}
