import type { Connector, DriverContext } from '../../src/index.js';
import { borrowKnex, openKnex } from './client.js';
import { DatabaseConnector } from './connector.js';
import type { Dialect } from './dialects/dialect.js';
import { mysqlDialect } from './dialects/mysql.js';
import { postgresDialect } from './dialects/postgres.js';
import { sqliteDialect } from './dialects/sqlite.js';
import { DatabaseFailedJobs } from './failed-jobs.js';
import type { DatabaseSettings } from './options.js';
import { Session } from './session.js';
import { DatabaseSignals } from './signals.js';

/** What is not for users to set. */
export interface Internals {
  /** How long a verb tries against locks of other processes, in ms. Default 10,000. */
  readonly conflictBudgetMs?: number;
  /** False takes the way of MySQL servers that cannot skip locked rows. */
  readonly skipLocked?: boolean;
}

/** Puts the parts together for one connection. */
export function connectDatabase(
  settings: DatabaseSettings,
  context: DriverContext,
  internals: Internals = {},
): Connector {
  const { target, tables, synchronous, prepare } = settings;
  const { place } = target;
  if (target.kind === 'mysql') {
    const { skipLocked } = internals;
    const dialect = mysqlDialect({ place, tables, ...(skipLocked === undefined ? {} : { skipLocked }) });
    return connectWith(dialect, settings, context, internals);
  }
  if (target.kind === 'postgres') {
    return connectWith(postgresDialect({ place, tables, prepare }), settings, context, internals);
  }
  const { clock, logger } = context;
  const dialect = sqliteDialect({ filename: place, tables, synchronous, clock, logger });
  return connectWith(dialect, settings, context, internals);
}

function connectWith<Connection>(
  dialect: Dialect<Connection>,
  settings: DatabaseSettings,
  { logger }: DriverContext,
  { conflictBudgetMs }: Internals,
): Connector {
  const { target, tables, autoMigrate, commandTimeoutMs } = settings;
  const session = new Session({
    dialect,
    tables,
    autoMigrate,
    logger,
    connect: async () => {
      if ('instance' in target) return borrowKnex(target.instance, dialect);
      await dialect.prepareStore();
      return await openKnex(target.config, dialect, logger);
    },
    // SQLite's statements run inside this process: there is nobody to wait for.
    ...(target.kind === 'sqlite' ? {} : { commandTimeoutMs }),
    ...(conflictBudgetMs === undefined ? {} : { conflictBudgetMs }),
  });
  const failedJobs = new DatabaseFailedJobs(session, dialect.failedJobs);
  return new DatabaseConnector(
    session,
    dialect.jobs,
    failedJobs,
    new DatabaseSignals(session, dialect.signals),
  );
}
