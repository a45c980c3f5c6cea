import type { TableNames } from '../../../migrations/index.js';
import type { Dialect } from './dialect.js';
import { type PostgresConnection, prepareOn } from './postgres-connection.js';
import { explainPostgres, isPostgresConflict } from './postgres-errors.js';
import { PostgresFailedJobs } from './postgres-failed-jobs.js';
import { PostgresHealth } from './postgres-health.js';
import { PostgresHistory } from './postgres-history.js';
import { PostgresJobs } from './postgres-jobs.js';
import { channelOf, PostgresNews } from './postgres-news.js';
import { PostgresSignals } from './postgres-signals.js';

/** What the PostgreSQL dialect is made of. */
export interface PostgresDialectOptions {
  readonly place: string;
  readonly tables: TableNames;
  /** Keeps prepared statements on each connection that the driver opens. */
  readonly prepare: boolean;
  /** Tells waiting workers of new jobs, and listens for them. */
  readonly notify: boolean;
}

/** PostgreSQL from 9.5 on, through the package pg. Delays and leases go by the server's clock. */
export function postgresDialect(options: PostgresDialectOptions): Dialect<PostgresConnection> {
  const { place, tables, prepare, notify } = options;
  const { schema } = tables;
  const quoted = (name: string): string => (schema === undefined ? `"${name}"` : `"${schema}"."${name}"`);
  const table = quoted(tables.jobs);
  const jobs = new PostgresJobs(table, notify ? channelOf(table) : undefined);
  return {
    place,
    jobs,
    failedJobs: new PostgresFailedJobs(quoted(tables.failedJobs), jobs),
    signals: new PostgresSignals(quoted(tables.signals)),
    health: new PostgresHealth(schema),
    history: new PostgresHistory(schema),
    ...(notify && { news: new PostgresNews(table) }),
    prepareStore: async () => {},
    configure: (connection) => {
      if (prepare) prepareOn(connection);
    },
    borrow: () => () => {},
    drop: disconnect,
    isConflict: isPostgresConflict,
    explain: explainPostgres,
  };
}

/** Ends a connection without waiting for its server; pg's own `end` would. */
function disconnect(connection: PostgresConnection): void {
  const { connection: wire } = connection as unknown as { connection: { stream: { destroy(): void } } };
  wire.stream.destroy();
}
