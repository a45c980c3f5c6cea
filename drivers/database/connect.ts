import { type Connector, type DriverContext, QueueError } from '../../src/index.js';
import type { Client } from './client.js';
import { type ConnectorParts, DatabaseConnector } from './connector.js';
import type { Dialect, OwnDialect } from './dialects/dialect.js';
import { DatabaseFailedJobs } from './failed-jobs.js';
import { DatabaseHistory } from './history.js';
import { type DialectInternals, loadMysql, loadPostgres, loadProfile, loadSqlite } from './load.js';
import { schemaKnex } from './load-knex.js';
import { Looks } from './looks.js';
import { openOwn } from './opener.js';
import { OwnTablesConnector } from './own-tables-connector.js';
import { wholeScript } from './schema.js';
import { nativeSteps, type SchemaStep, stepsBeside } from './schema-steps.js';
import { Session } from './session.js';
import type { DatabaseSettings } from './settings.js';
import { DatabaseSignals } from './signals.js';
import { openSingle } from './single.js';
import { DatabaseStatistics } from './statistics.js';
import { Teller } from './teller.js';
import { isShared, needsTelling, traitsOf } from './traits.js';
import { Waits } from './waits.js';
import { DatabaseWorkers } from './workers.js';

/** What is not for users to set. */
export interface Internals extends DialectInternals {
  /** How long a verb tries against locks of other processes, in ms. Default 10,000. */
  readonly conflictBudgetMs?: number;
}

/** Puts the parts together for one connection. */
export function connectDatabase(
  settings: DatabaseSettings,
  context: DriverContext,
  internals: Internals = {},
): Connector {
  // One call for each kind: their connections are of different types.
  const { kind } = settings.target;
  if (kind === 'mysql') return connectWith(loadMysql(settings, internals), settings, context, internals);
  if (kind === 'postgres') return connectWith(loadPostgres(settings, context), settings, context, internals);
  return connectWith(loadSqlite(settings, context), settings, context, internals);
}

/** @param loading the dialect, which is there before the first connection is. */
function connectWith<Connection>(
  loading: Promise<OwnDialect<Connection>>,
  settings: DatabaseSettings,
  context: DriverContext,
  internals: Internals,
): Connector {
  const { php } = settings;
  if (php === undefined) return new OwnTablesConnector(partsOf(loading, settings, context, internals));
  const withProfile = loadProfile(loading, settings, php);
  return new DatabaseConnector(partsOf(withProfile, settings, context, internals));
}

function partsOf<Connection, D extends Dialect<Connection>>(
  loading: Promise<D>,
  settings: DatabaseSettings,
  context: DriverContext,
  { conflictBudgetMs }: Internals,
): ConnectorParts<Connection, D> {
  const { logger, clock } = context;
  const { target, tables, autoMigrate, commandTimeoutMs } = settings;
  const steps = stepsFor(settings);
  const session = new Session<Connection, D>({
    kind: target.kind,
    place: target.place,
    loading,
    tables,
    steps,
    autoMigrate,
    logger,
    connect: (dialect) => open(dialect, settings, context),
    // SQLite's statements run inside this process: there is nobody to wait for.
    ...(target.kind === 'sqlite' ? {} : { commandTimeoutMs }),
    ...(conflictBudgetMs === undefined ? {} : { conflictBudgetMs }),
  });
  const traits = traitsOf(target.kind);
  const { lookMs: everyMs, prefetch, isInProcess } = traits;
  const signals: DatabaseSignals<Connection> = new DatabaseSignals(session, {
    everyMs,
    look: async () => void (await looks.look([])),
    onError: (error) => logger.warn({ err: error }, 'could not read the signals to workers'),
  });
  const workers = new DatabaseWorkers(session, traits, (error) =>
    logger.warn({ err: error }, 'could not write to the list of workers; the workers go on'),
  );
  const looks = new Looks({ session, everyMs, signals, workers });
  const teller = needsTelling(settings)
    ? new Teller({
        session,
        onError: (error) =>
          logger.debug({ err: error }, 'could not wake idle workers; they look by themselves'),
      })
    : undefined;
  return {
    session,
    failedJobs: new DatabaseFailedJobs(session, teller),
    signals,
    workers,
    statistics: new DatabaseStatistics(session),
    ...(prefetch !== undefined && { prefetch }),
    ...(isInProcess !== undefined && { isInProcess }),
    history: new DatabaseHistory(session),
    looks,
    teller,
    diagnose: async () => {
      const { diagnoseDatabase } = await import('./diagnose.js');
      return await diagnoseDatabase(session, { tables, steps, autoMigrate, clock });
    },
    wholeScript: (kind = target.kind) => tableScript(kind, settings, context),
    waits: isShared(settings) ? new Waits({ session, looks, teller }) : undefined,
  };
}

async function open<Connection>(
  dialect: Dialect<Connection>,
  { target, commandTimeoutMs }: DatabaseSettings,
  { logger }: DriverContext,
): Promise<Client<Connection>> {
  if ('instance' in target) {
    const { borrowKnex } = await import('./knex-client.js');
    return borrowKnex(target.instance, dialect);
  }
  await dialect.prepareStore();
  if (dialect.single !== undefined) return openSingle(dialect, dialect.single);
  if (dialect.opener !== undefined) return openOwn(dialect, dialect.opener);
  const { openKnex } = await import('./knex-client.js');
  return await openKnex(target.config, dialect, logger, commandTimeoutMs);
}

/** The steps of the schema that a connection needs. */
function stepsFor({ php }: DatabaseSettings): readonly SchemaStep[] {
  return php === undefined ? nativeSteps : stepsBeside(php.profile);
}

/** The script of the whole schema, also for a kind of database other than the connection's own. */
async function tableScript(
  kind: string,
  settings: DatabaseSettings,
  context: DriverContext,
): Promise<string[]> {
  const steps = stepsFor(settings);
  const { tables } = settings;
  if (kind === 'mysql') return wholeScript(await loadMysql(settings), schemaKnex('mysql2'), tables, steps);
  if (kind === 'postgres') {
    return wholeScript(await loadPostgres(settings, context), schemaKnex('pg'), tables, steps);
  }
  if (kind === 'sqlite') {
    return wholeScript(await loadSqlite(settings, context), schemaKnex('better-sqlite3'), tables, steps);
  }
  throw new QueueError('E_UNSUPPORTED', `there is no dialect ${kind}`, {
    fix: 'Write mysql, postgres or sqlite.',
  });
}
