import type { TableNames } from '../../../migrations/index.js';
import type { Clock, Logger } from '../../../src/index.js';
import type { OwnDialect } from './dialect.js';
import { silent } from './silence.js';
import {
  configureConnection,
  type SqliteConnection,
  type Synchronous,
  shortenBusyTimeout,
  sqliteOpener,
} from './sqlite-connection.js';
import { SqliteEndedJobs } from './sqlite-ended-jobs.js';
import { explainSqlite, isSqliteConflict } from './sqlite-errors.js';
import { SqliteFailedJobs } from './sqlite-failed-jobs.js';
import { inMemory, prepareFile } from './sqlite-file.js';
import { SqliteHealth } from './sqlite-health.js';
import { SqliteHistory } from './sqlite-history.js';
import { SqliteJobs } from './sqlite-jobs.js';
import { SqliteLiveJobs } from './sqlite-live-jobs.js';
import { SqliteLooks } from './sqlite-looks.js';
import { SqliteNews } from './sqlite-news.js';
import { SqliteSignals } from './sqlite-signals.js';
import { sqliteSql } from './sqlite-sql.js';
import { SqliteStatistics } from './sqlite-statistics.js';
import { SqliteWorkers } from './sqlite-workers.js';

/** What the SQLite dialect is made of. */
export interface SqliteDialectOptions {
  /** Absolute, or `:memory:`. For a ready instance it only names the place. */
  readonly filename: string;
  /** The file to watch for new jobs, where there is one. */
  readonly watched?: string | undefined;
  /** Whether nothing but its name says how to open it; knex opens all others. Default false. */
  readonly isPlain?: boolean;
  readonly tables: TableNames;
  readonly synchronous: Synchronous;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** SQLite through better-sqlite3: statements run inside this process and answer at once. */
export function sqliteDialect(options: SqliteDialectOptions): OwnDialect<SqliteConnection> {
  const { filename, watched, isPlain = false, tables, synchronous, clock, logger } = options;
  const jobs = new SqliteJobs(tables.jobs, clock);
  const news = watched === undefined ? undefined : new SqliteNews(watched, logger);
  return {
    place: filename,
    jobs,
    failedJobs: new SqliteFailedJobs(tables.failedJobs, jobs),
    signals: new SqliteSignals(tables.signals),
    looks: new SqliteLooks(tables.jobs, tables.signals, clock),
    statistics: new SqliteStatistics(tables.statistics),
    workers: new SqliteWorkers(tables.workers, clock, () => news?.wrote()),
    liveJobs: new SqliteLiveJobs(tables.jobs, clock),
    endedJobs: new SqliteEndedJobs(tables.history),
    health: new SqliteHealth(),
    history: new SqliteHistory(clock),
    // A database in memory is this process's alone.
    news: news ?? silent,
    sql: sqliteSql(clock),
    ...(isPlain && { single: sqliteOpener(filename) }),
    prepareStore: () => prepareFile(filename),
    configure(connection) {
      const journalMode = configureConnection(connection, synchronous);
      if (filename === inMemory || journalMode === 'wal') return;
      // Right all the same, only slower: readers and writers hold each other up. Network drives do this.
      logger.warn({ filename, journalMode }, 'this SQLite file cannot use a write-ahead log');
    },
    borrow: shortenBusyTimeout,
    // Its statements run inside this process: none is ever waited for.
    drop: () => {},
    isConflict: isSqliteConflict,
    explain: explainSqlite,
  };
}
