import type { TableNames } from '../../../migrations/index.js';
import type { OwnDialect } from './dialect.js';
import { configureMysql, disconnect, type MysqlConnection } from './mysql-connection.js';
import { MysqlEndedJobs } from './mysql-ended-jobs.js';
import { explainMysql, isMysqlConflict } from './mysql-errors.js';
import { MysqlFailedJobs } from './mysql-failed-jobs.js';
import { MysqlHealth } from './mysql-health.js';
import { MysqlHistory } from './mysql-history.js';
import { MysqlJobs } from './mysql-jobs.js';
import { MysqlLiveJobs } from './mysql-live-jobs.js';
import { MysqlLooks } from './mysql-looks.js';
import { mysqlOpener } from './mysql-opener.js';
import { MysqlSignals } from './mysql-signals.js';
import { mysqlSql } from './mysql-sql.js';
import { MysqlStatistics } from './mysql-statistics.js';
import { MysqlWorkers } from './mysql-workers.js';
import { silent } from './silence.js';

/** What the MySQL dialect is made of. */
export interface MysqlDialectOptions {
  readonly place: string;
  readonly tables: TableNames;
  /** False takes the way for servers without SKIP LOCKED. Default: as the server's version has it. */
  readonly skipLocked?: boolean;
  /** How long a client says nothing in a transaction at most, in ms. */
  readonly silenceMs: number;
  /** What the client's package takes, where connections are opened without knex. */
  readonly address: object | undefined;
  /** How long such a connection may take to be ready, in ms. */
  readonly readyMs: number;
}

/** MySQL and MariaDB through mysql2. Delays and leases go by the server's clock. */
export function mysqlDialect(options: MysqlDialectOptions): OwnDialect<MysqlConnection> {
  const { place, tables, skipLocked, silenceMs, address, readyMs } = options;
  const jobs = new MysqlJobs(quoted(tables.jobs), skipLocked);
  return {
    place,
    jobs,
    failedJobs: new MysqlFailedJobs(quoted(tables.failedJobs), jobs),
    signals: new MysqlSignals(quoted(tables.signals)),
    news: silent,
    looks: new MysqlLooks(quoted(tables.jobs), quoted(tables.signals)),
    statistics: new MysqlStatistics(quoted(tables.statistics)),
    workers: new MysqlWorkers(quoted(tables.workers)),
    liveJobs: new MysqlLiveJobs(quoted(tables.jobs)),
    endedJobs: new MysqlEndedJobs(quoted(tables.history)),
    health: new MysqlHealth(tables.jobs),
    history: new MysqlHistory(),
    sql: mysqlSql(skipLocked),
    ...(address && { opener: mysqlOpener(address, readyMs) }),
    prepareStore: async () => {},
    configure: (connection) => configureMysql(connection, silenceMs),
    borrow: () => () => {},
    drop: disconnect,
    isConflict: isMysqlConflict,
    explain: explainMysql,
  };
}

function quoted(name: string): string {
  return `\`${name}\``;
}
