import type { LiveJob, Peek } from '../../../src/index.js';
import type { LiveJobTable } from './dialect.js';
import { type LiveJobRow, liveJobOf, liveJobStatements, pageOf } from './live-job-row.js';
import { type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

const marks = { queue: '$1', limit: '$2', offset: '$3', id: '$2' } as const;

/** Looks at the live jobs of a table of PostgreSQL. */
export class PostgresLiveJobs implements LiveJobTable<PostgresConnection> {
  readonly #sql: ReturnType<typeof liveJobStatements>;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string) {
    this.#sql = liveJobStatements(table, postgresNow, (value) => marks[value]);
  }

  async peek(connection: PostgresConnection, queue: string, options: Peek): Promise<LiveJob[]> {
    const bound = [queue, ...pageOf(options)];
    return (await rowsOf<LiveJobRow>(connection, this.#sql[options.state], bound)).map(liveJobOf);
  }

  async find(connection: PostgresConnection, queue: string, id: string): Promise<LiveJob | null> {
    const [row] = await rowsOf<LiveJobRow>(connection, this.#sql.find, [queue, id]);
    return row === undefined ? null : liveJobOf(row);
  }
}
