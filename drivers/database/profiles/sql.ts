import type { Answer } from '../dialects/dialect.js';

/** A value of a statement. */
export type SqlValue = string | number | null;

/**
 * What the tables of PHP need of a database: plain statements with `?` for values, which all three kinds run. Values
 * come as numbers or texts, as the client has it.
 */
export interface Sql<Connection> {
  quote(name: string): string;
  rows<Row>(connection: Connection, text: string, values: readonly SqlValue[]): Answer<Row[]>;
  /** How many rows a statement found. */
  changed(connection: Connection, text: string, values: readonly SqlValue[]): Answer<number>;
  /** Inserts one row; answers its column `id`. */
  insert(connection: Connection, text: string, values: readonly SqlValue[]): Answer<string>;
  /** Runs `work` in a READ COMMITTED transaction of its own, or rolls all of it back. */
  transaction<T>(connection: Connection, work: () => Promise<T>): Promise<T>;
  /** The time in ms by the clock that rules delays and leases. */
  nowMs(connection: Connection): Answer<number>;
  /** Ends a SELECT whose rows are to be changed by nobody else, passing over locked ones where the server can. */
  lockFree(connection: Connection): Answer<string>;
  /** Ends a SELECT whose rows are to be changed by nobody else. */
  readonly lock: string;
  /** A column of local time as `YYYY-MM-DD HH:MM:SS`. */
  localTime(column: string): string;
}
