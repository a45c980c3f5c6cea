import type { TableNames } from '../../../migrations/index.js';
import type { Logger } from '../../../src/index.js';
import type { OwnDialect } from './dialect.js';
import { disconnect, type PostgresConnection, prepareOn, setUpSession } from './postgres-connection.js';
import { PostgresEndedJobs } from './postgres-ended-jobs.js';
import { explainPostgres, isPostgresConflict } from './postgres-errors.js';
import { PostgresFailedJobs } from './postgres-failed-jobs.js';
import { PostgresHealth } from './postgres-health.js';
import { PostgresHistory } from './postgres-history.js';
import { PostgresJobs } from './postgres-jobs.js';
import { PostgresLiveJobs } from './postgres-live-jobs.js';
import { PostgresLooks } from './postgres-looks.js';
import { PostgresNews } from './postgres-news.js';
import { postgresOpener } from './postgres-opener.js';
import { PostgresSignals } from './postgres-signals.js';
import { postgresSql } from './postgres-sql.js';
import { PostgresStatistics } from './postgres-statistics.js';
import { PostgresWorkers } from './postgres-workers.js';
import { silent } from './silence.js';

/** What the PostgreSQL dialect is made of. */
export interface PostgresDialectOptions {
  readonly place: string;
  readonly tables: TableNames;
  /** Keeps prepared statements on each connection that the driver opens; where it has a session of its own, unless told. */
  readonly prepare: boolean | undefined;
  /** Tells waiting workers of new jobs, and listens for them. */
  readonly notify: boolean;
  readonly logger: Logger;
  /** How long a client says nothing in a transaction at most, in ms. */
  readonly silenceMs: number;
  /** What the client's package takes, where connections are opened without knex. */
  readonly address: object | undefined;
  /** How long such a connection may take to be ready, in ms. */
  readonly readyMs: number;
}

/** PostgreSQL from 9.5 on, through the package pg. Delays and leases go by the server's clock. */
export function postgresDialect(options: PostgresDialectOptions): OwnDialect<PostgresConnection> {
  const { place, tables, prepare, notify, logger, silenceMs, address, readyMs } = options;
  const { schema } = tables;
  const quoted = (name: string): string => (schema === undefined ? `"${name}"` : `"${schema}"."${name}"`);
  const table = quoted(tables.jobs);
  const jobs = new PostgresJobs(table);
  return {
    place,
    jobs,
    failedJobs: new PostgresFailedJobs(quoted(tables.failedJobs), jobs),
    signals: new PostgresSignals(quoted(tables.signals)),
    looks: new PostgresLooks(table, quoted(tables.signals), quoted(tables.workers)),
    statistics: new PostgresStatistics(quoted(tables.statistics)),
    workers: new PostgresWorkers(quoted(tables.workers)),
    liveJobs: new PostgresLiveJobs(table),
    endedJobs: new PostgresEndedJobs(quoted(tables.history)),
    health: new PostgresHealth(schema),
    history: new PostgresHistory(schema),
    news: notify ? new PostgresNews(table, logger) : silent,
    sql: postgresSql,
    ...(address && { opener: postgresOpener(address, readyMs) }),
    prepareStore: async () => {},
    configure: async (connection) => {
      const isOwn = prepare !== false && (await setUpSession(connection, silenceMs));
      if (prepare ?? isOwn) prepareOn(connection);
    },
    borrow: () => () => {},
    drop: disconnect,
    isConflict: isPostgresConflict,
    explain: explainPostgres,
  };
}
