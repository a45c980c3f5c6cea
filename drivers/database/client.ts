import type { SchemaKnex } from '../../migrations/index.js';
import type { Alone, Answer } from './dialects/dialect.js';
import type { Deadline } from './lend.js';

/** Connections to one database, each lent to one task at a time. */
export interface Client<Connection> {
  /** For the statements of migrations. */
  readonly knex: SchemaKnex;
  /**
   * Runs `task` on a connection that nobody else has meanwhile, and gives it back. Answers or throws at once where one is
   * free that answers at once.
   *
   * @param deadline by when the connection is cut off; none for what cannot hang.
   */
  use<T>(task: (connection: Connection) => Answer<T>, deadline?: Deadline): Answer<T>;
  /**
   * Opens a connection beside the pool, which it takes nothing from, for what is kept open for long; `end` closes
   * it.
   */
  openAlone(): Promise<Alone<Connection>>;
  /** Ends what the driver opened; leaves an instance of the application alone. */
  destroy(): Promise<void>;
}
