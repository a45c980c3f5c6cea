import type { Connector, DriverContext } from '../../src/index.js';
import { borrowKnex, openKnex } from './client.js';
import { DatabaseConnector } from './connector.js';
import { sqliteDialect } from './dialects/sqlite.js';
import { DatabaseFailedJobs } from './failed-jobs.js';
import type { DatabaseSettings } from './options.js';
import { Session } from './session.js';
import { DatabaseSignals } from './signals.js';

/**
 * Puts the parts together for one connection.
 *
 * @param conflictBudgetMs how long a verb tries against locks of other processes. Default 10,000.
 */
export function connectDatabase(
  settings: DatabaseSettings,
  context: DriverContext,
  conflictBudgetMs?: number,
): Connector {
  const { target, tables, autoMigrate, synchronous } = settings;
  const { clock, logger } = context;
  const dialect = sqliteDialect({ filename: target.filename, tables, synchronous, clock, logger });
  const session = new Session({
    dialect,
    tables,
    autoMigrate,
    logger,
    connect: async () => {
      if (target.kind === 'instance') return borrowKnex(target.instance, dialect);
      await dialect.prepareStore();
      return await openKnex(target.config, dialect, logger);
    },
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
