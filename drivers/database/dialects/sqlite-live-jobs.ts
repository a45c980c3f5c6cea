import type { Clock, LiveJob, Peek } from '../../../src/index.js';
import type { LiveJobTable } from './dialect.js';
import { type LiveJobRow, liveJobOf, liveJobStatements, pageOf } from './live-job-row.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** Looks at the live jobs of a SQLite table. */
export class SqliteLiveJobs implements LiveJobTable<SqliteConnection> {
  readonly #sql: ReturnType<typeof liveJobStatements>;
  readonly #clock: Clock;

  constructor(table: string, clock: Clock) {
    this.#sql = liveJobStatements(`"${table}"`, ':now', (value) => `:${value}`);
    this.#clock = clock;
  }

  peek(connection: SqliteConnection, queue: string, options: Peek): LiveJob[] {
    const [limit, offset] = pageOf(options);
    const bound = { queue, limit, offset, now: this.#clock.now() };
    return prepared<LiveJobRow>(connection, this.#sql[options.state]).all(bound).map(liveJobOf);
  }

  find(connection: SqliteConnection, queue: string, id: string): LiveJob | null {
    const bound = { queue, id, now: this.#clock.now() };
    const row = prepared<LiveJobRow>(connection, this.#sql.find).get(bound);
    return row === undefined ? null : liveJobOf(row);
  }
}
