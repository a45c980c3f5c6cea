import type { BoundedAlone, Listener } from './dialect.js';
import type { PostgresConnection } from './postgres-connection.js';

/** A connection that listens, with the locks that say for which queues. */
export class PostgresListener implements Listener {
  readonly end: () => Promise<void>;
  readonly #ask: BoundedAlone<PostgresConnection>['ask'];
  readonly #keyOf: (queue: string) => string;
  readonly #announced = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor({ ask, end }: BoundedAlone<PostgresConnection>, keyOf: (queue: string) => string) {
    this.end = end;
    this.#ask = ask;
    this.#keyOf = keyOf;
  }

  announce(queue: string): Promise<void> {
    let announced = this.#announced.get(queue);
    if (announced === undefined) {
      // Waits for no more than the statement of somebody who asks whether anybody waits.
      announced = this.#inTurn('SELECT pg_advisory_lock_shared($1)', queue);
      this.#announced.set(queue, announced);
    }
    return announced;
  }

  async withdraw(queue: string): Promise<void> {
    if (this.#announced.delete(queue)) await this.#inTurn('SELECT pg_advisory_unlock_shared($1)', queue);
  }

  /** One after the other, in the order of the calls: the last one rules. A listener that failed once is given up. */
  #inTurn(sql: string, queue: string): Promise<void> {
    this.#last = this.#last.then(async () => {
      await this.#ask((connection) => connection.query(sql, [this.#keyOf(queue)]));
    });
    return this.#last;
  }
}
