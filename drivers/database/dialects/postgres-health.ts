import { encryptionFinding, type Finding, type SocketFacts } from '../../../src/index.js';
import type { Health, TableIndex } from './dialect.js';
import { type PostgresConnection, postgresNow, rowsOf } from './postgres-connection.js';

const oldestVersion = 90_500;

/** What `queue:doctor` asks PostgreSQL. */
export class PostgresHealth implements Health<PostgresConnection> {
  readonly #schema: string | undefined;

  /** @param schema the schema of the tables; undefined for the first of the search path. */
  constructor(schema: string | undefined) {
    this.#schema = schema;
  }

  async indexes(connection: PostgresConnection, table: string): Promise<readonly TableIndex[] | undefined> {
    const name = this.#schema === undefined ? `"${table}"` : `"${this.#schema}"."${table}"`;
    const [place] = await rowsOf<{ found: string | null }>(
      connection,
      'SELECT to_regclass($1)::oid AS found',
      [name],
    );
    if (place?.found == null) return undefined;
    const rows = await rowsOf<{ columns: string; is_unique: string }>(
      connection,
      `SELECT string_agg(attribute.attname, ',' ORDER BY part.place) AS columns, one.indisunique AS is_unique
       FROM pg_index AS one,
         LATERAL unnest(one.indkey::smallint[]) WITH ORDINALITY AS part (number, place)
         JOIN pg_attribute AS attribute ON attribute.attnum = part.number
       WHERE one.indrelid = $1 AND attribute.attrelid = one.indrelid
         AND one.indisvalid AND one.indpred IS NULL AND NOT one.indisprimary
       GROUP BY one.indexrelid, one.indisunique`,
      [place.found],
    );
    return rows.map(({ columns, is_unique }) => ({
      columns: columns.split(','),
      isUnique: is_unique === 't',
    }));
  }

  async nowMs(connection: PostgresConnection): Promise<number> {
    const [row] = await rowsOf<{ now: string }>(connection, `SELECT ${postgresNow} AS now`, []);
    return Number(row?.now);
  }

  async findings(connection: PostgresConnection): Promise<readonly Finding[]> {
    const [facts] = await rowsOf<PostgresFacts>(
      connection,
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number,
         current_setting('default_transaction_isolation') AS isolation, pg_is_in_recovery() AS is_standby,
         current_setting('transaction_read_only') AS is_read_only`,
      [],
    );
    const { connection: wire } = connection as unknown as { connection: { stream: SocketFacts } };
    return [...(facts === undefined ? [] : postgresFindings(facts)), encryptionFinding(wire.stream)];
  }
}

interface PostgresFacts {
  readonly version: string;
  readonly number: string;
  readonly isolation: string;
  readonly is_standby: string;
  readonly is_read_only: string;
}

/** What of a server's set-up stops or slows the queue. Pure. */
function postgresFindings(facts: PostgresFacts): Finding[] {
  const { version, number, isolation } = facts;
  const isOld = Number(number) < oldestVersion;
  const takesNoWrites = facts.is_standby === 't' || facts.is_read_only === 'on';
  return [
    isOld
      ? {
          check: 'version',
          status: 'error',
          message: `PostgreSQL ${version} knows no SKIP LOCKED`,
          fix: 'Update it to 9.5 or newer.',
        }
      : { check: 'version', status: 'ok', message: `PostgreSQL ${version}, which knows SKIP LOCKED` },
    isolation === 'read committed'
      ? { check: 'isolation', status: 'ok', message: 'transactions are READ COMMITTED' }
      : {
          check: 'isolation',
          status: 'warning',
          message: `default_transaction_isolation is ${isolation}: each verb needs a transaction of its own, three trips for one`,
          fix: "Set default_transaction_isolation to 'read committed' for the user of the queue.",
        },
    takesNoWrites
      ? {
          check: 'role',
          status: 'error',
          message: 'the server is a standby, or read-only for this user: it takes no writes',
          fix: 'Name the primary server in the url.',
        }
      : { check: 'role', status: 'ok', message: 'the server takes writes' },
  ];
}
