import { encryptionFinding, type Finding, type SocketFacts } from '../../../src/index.js';
import type { Health, TableIndex } from './dialect.js';
import { type MysqlConnection, mysqlNow, rowsOf } from './mysql-connection.js';
import { canSkipLocked, isMariadb, versionOf } from './mysql-version.js';

/** What `queue:doctor` asks MySQL and MariaDB. */
export class MysqlHealth implements Health<MysqlConnection> {
  readonly #jobsTable: string;

  /** @param jobsTable the table of live jobs. */
  constructor(jobsTable: string) {
    this.#jobsTable = jobsTable;
  }

  async indexes(connection: MysqlConnection, table: string): Promise<readonly TableIndex[] | undefined> {
    if ((await this.#engineOf(connection, table)) === undefined) return undefined;
    const rows = await rowsOf<{ columns: string; isUnique: number | string }>(
      connection,
      `SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) AS columns, MIN(NON_UNIQUE) = 0 AS isUnique
       FROM information_schema.STATISTICS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME <> 'PRIMARY'
       GROUP BY INDEX_NAME`,
      [table],
    );
    return rows.map(({ columns, isUnique }) => ({
      columns: columns.split(','),
      isUnique: Number(isUnique) === 1,
    }));
  }

  async nowMs(connection: MysqlConnection): Promise<number> {
    const [row] = await rowsOf<{ now: number }>(connection, `SELECT ${mysqlNow} AS now`, []);
    return Number(row?.now);
  }

  async findings(connection: MysqlConnection): Promise<readonly Finding[]> {
    const version = await versionOf(connection);
    const isolation = isMariadb(version) ? '@@tx_isolation' : '@@transaction_isolation';
    const [row] = await rowsOf<Omit<MysqlFacts, 'version' | 'engine'>>(
      connection,
      `SELECT ${isolation} AS isolation, @@global.read_only AS isReadOnly, @@log_bin AS logsBinary,
         @@binlog_format AS binaryFormat`,
      [],
    );
    const engine = await this.#engineOf(connection, this.#jobsTable);
    const { stream } = connection as unknown as { stream: SocketFacts };
    return [
      ...(row === undefined ? [] : mysqlFindings({ ...row, version, engine })),
      encryptionFinding(stream),
    ];
  }

  async #engineOf(connection: MysqlConnection, table: string): Promise<string | undefined> {
    const [row] = await rowsOf<{ engine: string }>(
      connection,
      'SELECT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?',
      [table],
    );
    return row?.engine;
  }
}

interface MysqlFacts {
  readonly version: string;
  readonly isolation: string;
  readonly isReadOnly: number | string;
  readonly logsBinary: number | string;
  readonly binaryFormat: string;
  /** Of the table of jobs; undefined where there is none. */
  readonly engine: string | undefined;
}

/** What of a server's set-up stops or slows the queue. Pure. */
export function mysqlFindings(facts: MysqlFacts): Finding[] {
  const findings = [versionFinding(facts.version), isolationFinding(facts.isolation)];
  if (Number(facts.logsBinary) === 1 && facts.binaryFormat === 'STATEMENT') {
    findings.push({
      check: 'binlog',
      status: 'error',
      message: 'binlog_format is STATEMENT: the server refuses writes of READ COMMITTED transactions',
      fix: 'Set binlog_format to ROW or MIXED.',
    });
  }
  if (facts.engine !== undefined && facts.engine.toUpperCase() !== 'INNODB') {
    findings.push({
      check: 'engine',
      status: 'error',
      message: `the table of jobs is kept by ${facts.engine}, which has no transactions: a crash can lose jobs`,
      fix: 'Run: ALTER TABLE … ENGINE = InnoDB',
    });
  }
  findings.push(roleFinding(Number(facts.isReadOnly) === 1));
  return findings;
}

function versionFinding(version: string): Finding {
  const check = 'version';
  const name = isMariadb(version) ? 'MariaDB' : 'MySQL';
  if (canSkipLocked(version)) {
    return { check, status: 'ok', message: `${name} ${version}, which knows SKIP LOCKED` };
  }
  return {
    check,
    status: 'warning',
    message: `${name} ${version} knows no SKIP LOCKED: workers take jobs one after the other`,
    fix: 'Update it to MariaDB 10.6, MySQL 8.0.1 or newer.',
  };
}

function isolationFinding(isolation: string): Finding {
  const check = 'isolation';
  if (isolation === 'READ-COMMITTED')
    return { check, status: 'ok', message: 'transactions are READ COMMITTED' };
  return {
    check,
    status: 'warning',
    message: `the connection is ${isolation}: statements lock the gaps between jobs, and pushes wait for them`,
    fix: "Run SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED in the pool's afterCreate.",
  };
}

function roleFinding(isReadOnly: boolean): Finding {
  const check = 'role';
  if (!isReadOnly) return { check, status: 'ok', message: 'the server takes writes' };
  const message = 'the server is read_only: it takes writes of administrators only';
  return { check, status: 'error', message, fix: 'Name the primary server in the url.' };
}
