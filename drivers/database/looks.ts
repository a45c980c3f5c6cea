import type { LookTable } from './dialects/dialect.js';
import type { Session } from './session.js';
import type { DatabaseSignals } from './signals.js';

/** Looks at queues, which take along the signals that it is time to read. */
export class Looks<Connection> {
  readonly #session: Session<Connection>;
  readonly #table: LookTable<Connection>;
  readonly #signals: DatabaseSignals<Connection>;

  constructor(
    session: Session<Connection>,
    table: LookTable<Connection>,
    signals: DatabaseSignals<Connection>,
  ) {
    this.#session = session;
    this.#table = table;
    this.#signals = signals;
  }

  /** How long until the next job of the queues is due, in ms: 0 or less is now, Infinity is not in sight. */
  async msUntilDue(queues: readonly string[]): Promise<number> {
    const keys = this.#signals.toReadAlong();
    const sight = await this.#session.run((connection) => this.#table.look(connection, queues, keys));
    this.#signals.told(keys, sight.signals);
    return sight.msUntilDue;
  }
}
