import type { Beat, BeatEntry, Clock } from '../../../src/index.js';
import type { WorkerTable } from './dialect.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** The list of live workers in a SQLite table. */
export class SqliteWorkers implements WorkerTable<SqliteConnection> {
  readonly #clock: Clock;
  readonly #onBeat: () => void;
  readonly #beat: string;
  readonly #list: string;
  readonly #leave: string;
  readonly #prune: string;

  /** @param onBeat is called when a beat has been written. */
  constructor(table: string, clock: Clock, onBeat: () => void) {
    this.#clock = clock;
    this.#onBeat = onBeat;
    this.#beat = `
INSERT INTO "${table}" (worker, until_at, about) VALUES (:id, :until, :about)
ON CONFLICT (worker) DO UPDATE SET until_at = excluded.until_at, about = excluded.about`;
    this.#list = `SELECT worker AS id, about, until_at - :now AS leftMs FROM "${table}" WHERE until_at > :now`;
    this.#leave = `DELETE FROM "${table}" WHERE worker = :id`;
    this.#prune = `DELETE FROM "${table}" WHERE until_at <= :now`;
  }

  beat(connection: SqliteConnection, { id, about, keepMs }: Beat): void {
    prepared(connection, this.#beat).run({ id, about, until: this.#clock.now() + Math.ceil(keepMs) });
    this.#onBeat();
  }

  list(connection: SqliteConnection): BeatEntry[] {
    return prepared<BeatEntry>(connection, this.#list).all({ now: this.#clock.now() });
  }

  leave(connection: SqliteConnection, id: string): void {
    prepared(connection, this.#leave).run({ id });
  }

  prune(connection: SqliteConnection): void {
    prepared(connection, this.#prune).run({ now: this.#clock.now() });
  }
}
