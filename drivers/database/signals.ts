import type { SignalStore } from '../../src/index.js';
import type { SignalTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** Signals to workers in a table of the database. */
export class DatabaseSignals<Connection> implements SignalStore {
  readonly #session: Session<Connection>;
  readonly #table: SignalTable<Connection>;

  constructor(session: Session<Connection>, table: SignalTable<Connection>) {
    this.#session = session;
    this.#table = table;
  }

  read(key: string): Promise<string | null> {
    return this.#session.run((connection) => this.#table.read(connection, key));
  }

  write(key: string, value: string): Promise<void> {
    return this.#session.run((connection) => this.#table.write(connection, key, value));
  }
}
