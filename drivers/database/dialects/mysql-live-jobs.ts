import type { LiveJob, Peek } from '../../../src/index.js';
import type { LiveJobTable } from './dialect.js';
import { type LiveJobRow, liveJobOf, liveJobStatements, pageOf } from './live-job-row.js';
import { type MysqlConnection, mysqlNow, rowsOf } from './mysql-connection.js';

/** Looks at the live jobs of a table of MySQL or MariaDB. */
export class MysqlLiveJobs implements LiveJobTable<MysqlConnection> {
  readonly #sql: ReturnType<typeof liveJobStatements>;

  /** @param table quoted. */
  constructor(table: string) {
    this.#sql = liveJobStatements(table, mysqlNow, () => '?');
  }

  async peek(connection: MysqlConnection, queue: string, options: Peek): Promise<LiveJob[]> {
    const bound = [queue, ...pageOf(options)];
    return (await rowsOf<LiveJobRow>(connection, this.#sql[options.state], bound)).map(liveJobOf);
  }

  async find(connection: MysqlConnection, queue: string, id: string): Promise<LiveJob | null> {
    const [row] = await rowsOf<LiveJobRow>(connection, this.#sql.find, [queue, id]);
    return row === undefined ? null : liveJobOf(row);
  }
}
