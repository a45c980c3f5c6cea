import type { TableNames } from '../../../migrations/index.js';
import type { Finding } from '../../../src/index.js';
import type { Answer, Health, TableIndex } from '../dialects/dialect.js';
import { messageOf } from '../errors.js';
import type { TableProfile } from './profile.js';
import type { Sql } from './sql.js';

/** What `queue:doctor` asks of tables of PHP, beside what it asks of the database. */
export class ProfileHealth<Connection> implements Health<Connection> {
  readonly nowMs?: NonNullable<Health<Connection>['nowMs']>;
  readonly #own: Health<Connection>;
  readonly #sql: Sql<Connection>;
  readonly #looks: Readonly<Record<string, string>>;
  readonly #profile: TableProfile;

  /** @param placed quotes a table, with its schema where that is told. */
  constructor(
    own: Health<Connection>,
    sql: Sql<Connection>,
    tables: TableNames,
    profile: TableProfile,
    placed: (table: string) => string,
  ) {
    const nowMs = own.nowMs?.bind(own);
    if (nowMs !== undefined) this.nowMs = nowMs;
    this.#own = own;
    this.#sql = sql;
    this.#profile = profile;
    const look = (table: string, columns: readonly string[]): string =>
      `SELECT ${columns.map(sql.quote).join(', ')} FROM ${placed(table)} WHERE 1 = 0`;
    const { failed, columns } = profile;
    this.#looks = {
      [tables.jobs]: look(tables.jobs, ['id', 'queue', 'payload', 'attempts', ...Object.values(columns)]),
      [tables.failedJobs]: look(tables.failedJobs, [
        ...new Set(['id', failed.id, 'connection', 'queue', 'payload', 'exception', failed.failedAt]),
      ]),
    };
  }

  indexes(connection: Connection, table: string): Answer<readonly TableIndex[] | undefined> {
    return this.#own.indexes(connection, table);
  }

  async findings(connection: Connection): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const [table, look] of Object.entries(this.#looks)) {
      if ((await this.#own.indexes(connection, table)) === undefined) continue;
      findings.push(await this.#columns(connection, table, look));
    }
    return [...findings, ...(await this.#own.findings(connection))];
  }

  async #columns(connection: Connection, table: string, look: string): Promise<Finding> {
    const check = 'columns';
    const { name } = this.#profile;
    try {
      await this.#sql.rows(connection, look, []);
      return { check, status: 'ok', message: `table ${table} has the columns of ${name}` };
    } catch (error) {
      const message = `table ${table} is not one of ${name}: ${messageOf(error)}`;
      return { check, status: 'error', message, fix: 'Set wire to the version of PHP, or another table.' };
    }
  }
}
