import type { Beat, BeatEntry, WorkerRegistry } from '../../src/index.js';
import type { WorkerTable } from './dialects/dialect.js';
import type { Session } from './session.js';

/** How often rows of dead workers are removed by one that lives: they are few, and not listed any more. */
const pruneMs = 60_000;

/** The list of live workers in a table of the database. */
export class DatabaseWorkers<Connection> implements WorkerRegistry {
  readonly everyMs?: number;
  readonly #session: Session<Connection>;
  readonly #table: WorkerTable<Connection>;
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  constructor(session: Session<Connection>, table: WorkerTable<Connection>) {
    this.#session = session;
    this.#table = table;
    if (table.everyMs !== undefined) this.everyMs = table.everyMs;
  }

  async beat(beat: Beat): Promise<void> {
    await this.#session.run((connection) => this.#table.beat(connection, beat));
    if (performance.now() - this.#prunedAtMs < pruneMs) return;
    this.#prunedAtMs = performance.now();
    await this.#session.run((connection) => this.#table.prune(connection));
  }

  list(): Promise<BeatEntry[]> {
    return this.#session.run((connection) => this.#table.list(connection));
  }

  leave(id: string): Promise<void> {
    return this.#session.run((connection) => this.#table.leave(connection, id));
  }
}
