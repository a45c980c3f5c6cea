import type { SignalStore } from '../../src/index.js';
import type { Session } from './session.js';

/** How much later than a look of a wait the signals are read by themselves: where waits look, they read them along. */
const graceMs = 50;

/** How {@link DatabaseSignals} watch. */
export interface SignalsOptions {
  /** How far apart the looks of waits are, in ms. */
  readonly everyMs: number;
  /** Looks, at no queue, with what is to be read along. */
  look(): Promise<void>;
  /** Told what a reading of watched signals failed with. */
  onError(error: unknown): void;
}

/** One statement for the keys that were asked for before it was sent. */
interface Reading {
  readonly keys: Set<string>;
  readonly values: Promise<ReadonlyMap<string, string>>;
}

interface Watcher {
  readonly key: string;
  tell(value: string | null): void;
}

/** Signals to workers in a table of the database. */
export class DatabaseSignals<Connection> implements SignalStore {
  readonly #session: Session<Connection>;
  readonly #options: SignalsOptions;
  readonly #watchers = new Set<Watcher>();
  #nextReading: Reading | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(session: Session<Connection>, options: SignalsOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** A worker that begins reads several at once: what is asked for until a connection is there is one statement. */
  async read(key: string): Promise<string | null> {
    this.#nextReading ??= this.#startReading();
    const { keys, values } = this.#nextReading;
    keys.add(key);
    return (await values).get(key) ?? null;
  }

  #startReading(): Reading {
    const keys = new Set<string>();
    const sent = (): void => {
      if (this.#nextReading?.keys === keys) this.#nextReading = undefined;
    };
    // Not before this turn's other keys are in: a connection at hand is asked at once.
    const values = Promise.resolve().then(() =>
      this.#session.run((connection, { signals }) => {
        sent();
        return signals.read(connection, [...keys]);
      }),
    );
    values.catch(sent); // where no connection was to be had
    return { keys, values };
  }

  write(key: string, value: string): Promise<void> {
    return this.#session.run((connection, { signals }) => signals.write(connection, key, value));
  }

  swap(key: string, expected: string | null, value: string): Promise<boolean> {
    return this.#session.run((connection, { signals }) => signals.swap(connection, key, expected, value));
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

  /** The keys that a look reads along, which begins now. */
  toReadAlong(): readonly string[] {
    if (this.#timer !== undefined) this.#rest();
    return [...new Set([...this.#watchers].map(({ key }) => key))];
  }

  /** Takes the values of keys that were asked for. */
  told(keys: readonly string[], values: ReadonlyMap<string, string>): void {
    for (const { key, tell } of [...this.#watchers]) if (keys.includes(key)) tell(values.get(key) ?? null);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs + graceMs);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return this.#rest(); // a server that does not answer is asked once
    this.#isLooking = true;
    try {
      await this.#options.look();
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isLooking = false;
    }
  }
}
