import { promisify } from 'node:util';
import type { Knex, knex } from 'knex';
import type { SchemaKnex } from '../../migrations/index.js';
import type { Logger } from '../../src/index.js';
import type { Answer, Dialect } from './dialects/dialect.js';
import { explainPackage } from './errors.js';
import type { KnexConfig, KnexInstance } from './knex-types.js';

/** Connections of one knex instance, lent one at a time. */
export interface Client<Connection> {
  /** For the statements of migrations. */
  readonly knex: SchemaKnex;
  /** Runs `task` on a connection that nobody else has meanwhile, and gives it back. */
  use<T>(task: (connection: Connection) => Answer<T>): Promise<T>;
  /** Ends what the driver opened; leaves an instance of the application alone. */
  destroy(): Promise<void>;
}

/** Lends the connections of an instance that the application made and will end. */
export function borrowKnex<Connection>(
  instance: KnexInstance,
  dialect: Dialect<Connection>,
): Client<Connection> {
  return {
    knex: instance,
    use: (task) =>
      lend(instance, async (connection: Connection) => {
        const giveBack = dialect.borrow(connection);
        try {
          return await task(connection);
        } finally {
          giveBack();
        }
      }),
    destroy: async () => {},
  };
}

/**
 * Opens a knex instance of our own. The only place that loads knex, and only once it is needed.
 *
 * @throws QueueError `E_DRIVER_MISSING` where knex or better-sqlite3 is not installed.
 */
export async function openKnex<Connection>(
  config: KnexConfig,
  dialect: Dialect<Connection>,
  logger: Logger,
): Promise<Client<Connection>> {
  const instance = makeKnex(await loadKnex(), config, dialect, logger);
  return {
    knex: instance,
    use: (task) => lend(instance, task),
    destroy: () => instance.destroy(),
  };
}

async function lend<Connection, T>(
  { client }: KnexInstance,
  task: (connection: Connection) => Answer<T>,
): Promise<T> {
  const connection: Connection = await client.acquireConnection();
  try {
    return await task(connection);
  } finally {
    await client.releaseConnection(connection);
  }
}

async function loadKnex(): Promise<typeof knex> {
  try {
    return (await import('knex')).default.knex;
  } catch (error) {
    throw explainPackage(error) ?? error;
  }
}

function makeKnex<Connection>(
  knexOf: typeof knex,
  config: KnexConfig,
  dialect: Dialect<Connection>,
  logger: Logger,
): Knex {
  const pool: Knex.PoolConfig = config.pool ?? {};
  const setUp = async (connection: Connection): Promise<void> => {
    try {
      await dialect.configure(connection);
      if (pool.afterCreate !== undefined) await promisify(pool.afterCreate)(connection);
    } catch (error) {
      // knex forgets a connection whose afterCreate failed: its file would stay open.
      await instance.client.destroyRawConnection(connection);
      throw error;
    }
  };
  const instance = knexOf({
    useNullAsDefault: true,
    log: knexLog(logger),
    ...config,
    pool: {
      ...pool,
      // One writer at a time is all that SQLite has; a database in memory lives in its one connection.
      min: 1,
      max: 1,
      afterCreate: (connection: Connection, done: (error: unknown) => void) => {
        setUp(connection).then(() => done(null), done);
      },
    },
  });
  return instance;
}

/** knex prints by itself unless told otherwise. What matters of it comes back as errors. */
function knexLog(logger: Logger): Knex.Logger {
  const write = (message: unknown): void => logger.debug({ from: 'knex' }, String(message));
  return { debug: write, deprecate: write, warn: write, error: write };
}
