import { type Connector, type DriverContext, type Logger, QueueError } from '../../src/index.js';
import { borrowKnex, openKnex, schemaKnex } from './client.js';
import { withConnectTimeout } from './connect-timeout.js';
import { DatabaseConnector } from './connector.js';
import { diagnoseDatabase } from './diagnose.js';
import type { Dialect, News } from './dialects/dialect.js';
import { mysqlDialect } from './dialects/mysql.js';
import { mysqlOpener } from './dialects/mysql-opener.js';
import { mysqlSql } from './dialects/mysql-sql.js';
import { postgresDialect } from './dialects/postgres.js';
import { postgresOpener } from './dialects/postgres-opener.js';
import { postgresSql } from './dialects/postgres-sql.js';
import { sqliteDialect } from './dialects/sqlite.js';
import { sqliteSql } from './dialects/sqlite-sql.js';
import { DatabaseFailedJobs } from './failed-jobs.js';
import { DatabaseHistory } from './history.js';
import { Looks } from './looks.js';
import { type Opener, openOwn } from './opener.js';
import { withProfile } from './profiles/apply-profile.js';
import { wholeScript } from './schema.js';
import { nativeSteps, type SchemaStep, stepsBeside } from './schema-steps.js';
import { Session } from './session.js';
import type { DatabaseSettings } from './settings.js';
import { DatabaseSignals } from './signals.js';
import { openSingle } from './single.js';
import { DatabaseStatistics } from './statistics.js';
import { isPlainFile, plainAddress } from './target.js';
import { Teller } from './teller.js';
import { Waits } from './waits.js';
import { DatabaseWorkers } from './workers.js';

/** What is not for users to set. */
export interface Internals {
  /** How long a verb tries against locks of other processes, in ms. Default 10,000. */
  readonly conflictBudgetMs?: number;
  /** False takes the way of MySQL servers that cannot skip locked rows. */
  readonly skipLocked?: boolean;
}

/**
 * While a commit waits for the disk a hundred quick jobs are done, and the worker would wait for the next. Not on MySQL and
 * MariaDB, where batches this large now and then lock entries of an index in each other's way.
 */
const prefetchOnPostgres = 400;

/** Puts the parts together for one connection. */
export function connectDatabase(
  settings: DatabaseSettings,
  context: DriverContext,
  internals: Internals = {},
): Connector {
  // One call for each kind: their connections are of different types.
  const { kind } = settings.target;
  if (kind === 'mysql') return connectWith(mysqlOf(settings, internals), settings, context, internals);
  if (kind === 'postgres') return connectWith(postgresOf(settings, context), settings, context, internals);
  return connectWith(sqliteOf(settings, context), settings, context, internals);
}

function mysqlOf(settings: DatabaseSettings, { skipLocked }: Internals = {}) {
  const { target, tables, php } = settings;
  const opener = openerOf(settings, mysqlOpener);
  const own = mysqlDialect({
    place: target.place,
    tables,
    silenceMs: silenceOf(settings),
    opener,
    ...(skipLocked === undefined ? {} : { skipLocked }),
  });
  return php === undefined ? own : withProfile(own, mysqlSql(skipLocked), tables, php);
}

function postgresOf(settings: DatabaseSettings, { logger }: DriverContext) {
  const { target, tables, prepare, notify, php } = settings;
  const opener = openerOf(settings, postgresOpener);
  const silenceMs = silenceOf(settings);
  const own = postgresDialect({ place: target.place, tables, prepare, notify, logger, silenceMs, opener });
  return php === undefined ? own : withProfile(own, postgresSql, tables, php);
}

function sqliteOf({ target, tables, synchronous, php }: DatabaseSettings, { clock, logger }: DriverContext) {
  const { place, file } = target;
  const isPlain = isPlainFile(target);
  const options = { filename: place, watched: file, isPlain, tables, synchronous, clock, logger };
  const own = sqliteDialect(options);
  return php === undefined ? own : withProfile(own, sqliteSql(clock), tables, php);
}

/** Whoever waits for an answer has given up by then, also one who was held up for as long as that. */
function silenceOf({ commandTimeoutMs }: DatabaseSettings): number {
  return Math.min(2 * commandTimeoutMs, 2 ** 31 - 1); // as much as PostgreSQL takes
}

/** Opens the connections of a server without knex, where nothing is said that is for knex to see to. */
function openerOf<Connection>(
  { target, commandTimeoutMs }: DatabaseSettings,
  open: (address: object, readyMs: number) => Opener<Connection>,
): Opener<Connection> | undefined {
  const address = plainAddress(target);
  return address && open(address, commandTimeoutMs);
}

/** The steps of the schema that a connection needs. */
function stepsFor({ php }: DatabaseSettings): readonly SchemaStep[] {
  return php === undefined ? nativeSteps : stepsBeside(php.profile);
}

function connectWith<Connection>(
  dialect: Dialect<Connection>,
  settings: DatabaseSettings,
  context: DriverContext,
  { conflictBudgetMs }: Internals,
): Connector {
  const { logger } = context;
  const { target, tables, autoMigrate, commandTimeoutMs } = settings;
  const steps = stepsFor(settings);
  const session = new Session({
    kind: target.kind,
    dialect,
    tables,
    steps,
    autoMigrate,
    logger,
    connect: async () => {
      if ('instance' in target) return borrowKnex(target.instance, dialect);
      await dialect.prepareStore();
      if (dialect.single !== undefined) return openSingle(dialect, dialect.single);
      if (dialect.opener !== undefined) return openOwn(dialect, dialect.opener);
      return await openKnex(withConnectTimeout(target.config, commandTimeoutMs), dialect, logger);
    },
    // SQLite's statements run inside this process: there is nobody to wait for.
    ...(target.kind === 'sqlite' ? {} : { commandTimeoutMs }),
    ...(conflictBudgetMs === undefined ? {} : { conflictBudgetMs }),
  });
  const signals: DatabaseSignals<Connection> = new DatabaseSignals(session, dialect.signals, {
    everyMs: dialect.looks.everyMs,
    look: async () => void (await looks.look([])),
    onError: (error) => logger.warn({ err: error }, 'could not read the signals to workers'),
  });
  const workers = new DatabaseWorkers(session, dialect.workers, (error) =>
    logger.warn({ err: error }, 'could not write to the list of workers; the workers go on'),
  );
  const looks = new Looks({ session, table: dialect.looks, signals, workers });
  const teller = tellerFor(session, dialect.news, logger);
  return new DatabaseConnector({
    session,
    jobs: dialect.jobs,
    failedJobs: new DatabaseFailedJobs(session, dialect.failedJobs, teller),
    signals,
    workers,
    statistics: new DatabaseStatistics(session, dialect.statistics),
    ...(target.kind === 'postgres' && { prefetch: prefetchOnPostgres }),
    liveJobs: dialect.liveJobs,
    history: new DatabaseHistory(session, dialect.endedJobs),
    looks,
    teller,
    diagnose: () => diagnoseDatabase(session, dialect, { tables, steps, autoMigrate, clock: context.clock }),
    wholeScript: (kind = target.kind) => tableScript(kind, settings, context),
    waits: dialect.news && new Waits({ session, news: dialect.news, looks, teller }),
  });
}

function tellerFor<Connection>(
  session: Session<Connection>,
  news: News<Connection> | undefined,
  logger: Logger,
): Teller<Connection> | undefined {
  const tell = news?.tell?.bind(news);
  const onError = (error: unknown): void =>
    logger.debug({ err: error }, 'could not wake idle workers; they look by themselves');
  return tell && new Teller({ session, tell, onError });
}

/** The script of the whole schema, also for a kind of database other than the connection's own. */
async function tableScript(
  kind: string,
  settings: DatabaseSettings,
  context: DriverContext,
): Promise<string[]> {
  const steps = stepsFor(settings);
  const { tables } = settings;
  if (kind === 'mysql') return wholeScript(mysqlOf(settings), schemaKnex('mysql2'), tables, steps);
  if (kind === 'postgres') return wholeScript(postgresOf(settings, context), schemaKnex('pg'), tables, steps);
  if (kind === 'sqlite') {
    return wholeScript(sqliteOf(settings, context), schemaKnex('better-sqlite3'), tables, steps);
  }
  throw new QueueError('E_UNSUPPORTED', `there is no dialect ${kind}`, {
    fix: 'Write mysql, postgres or sqlite.',
  });
}
