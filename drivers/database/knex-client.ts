import { promisify } from 'node:util';
import type { Knex, knex } from 'knex';
import { type Logger, within } from '../../src/index.js';
import type { Client } from './client.js';
import { connectTimeout } from './connect-timeout.js';
import type { Alone, Dialect } from './dialects/dialect.js';
import { dropRefused } from './drop-refused.js';
import { hangingUp } from './hang-up.js';
import type { KnexConfig, KnexInstance } from './knex-types.js';
import { Lender, poolOf, tooLate } from './lend.js';
import { loadKnex } from './load-knex.js';
import { Relay } from './relay.js';

/** Lends the connections of an instance that the application made and will end. */
export function borrowKnex<Connection>(
  instance: KnexInstance,
  dialect: Dialect<Connection>,
): Client<Connection> {
  const lender = new Lender(poolOf<Connection>(instance), dialect);
  return {
    knex: instance,
    use: (task, deadline) => {
      const borrowed = async (connection: Connection) => {
        const giveBack = dialect.borrow(connection);
        try {
          return await task(connection);
        } finally {
          giveBack();
        }
      };
      return lender.use(borrowed, deadline);
    },
    openAlone: () => openAlone(instance),
    destroy: async () => {},
  };
}

/**
 * Opens a knex instance of our own.
 *
 * @param readyMs how long a connection to a server may take to be ready.
 * @throws QueueError `E_DRIVER_MISSING` where knex or the client's package is not installed.
 */
export async function openKnex<Connection>(
  config: KnexConfig,
  dialect: Dialect<Connection>,
  logger: Logger,
  readyMs: number,
): Promise<Client<Connection>> {
  const timeout = connectTimeout(config, readyMs);
  const pooled = { ...config, pool: { ...timeout.pool, ...config.pool } };
  const instance = makeKnex(loadKnex(config), pooled, dialect, logger, readyMs);
  timeout.set(instance);
  dropRefused(config, instance, dialect.drop);
  const { client } = instance;
  client.destroyRawConnection = hangingUp(client.destroyRawConnection.bind(client), dialect.drop);
  const lender = new Lender(new Relay(poolOf<Connection>(instance)), dialect);
  return {
    knex: instance,
    use: (task, deadline) => lender.use(task, deadline),
    openAlone: () => openAlone(instance),
    destroy: () => instance.destroy(),
  };
}

async function openAlone<Connection>({ client }: KnexInstance): Promise<Alone<Connection>> {
  const connection: Connection = await client.acquireRawConnection();
  return { connection, end: async () => client.destroyRawConnection(connection) };
}

function makeKnex<Connection>(
  knexOf: typeof knex,
  config: KnexConfig,
  dialect: Dialect<Connection>,
  logger: Logger,
  readyMs: number,
): Knex {
  const pool: Knex.PoolConfig = config.pool ?? {};
  const makeReady = async (connection: Connection): Promise<void> => {
    await dialect.configure(connection);
    if (pool.afterCreate !== undefined) await promisify(pool.afterCreate)(connection);
  };
  const setUp = async (connection: Connection): Promise<void> => {
    try {
      await within(makeReady(connection), readyMs, () => {
        dialect.drop(connection);
        return tooLate(dialect.place, readyMs, false);
      });
    } catch (error) {
      // knex forgets a connection whose afterCreate failed: its file or socket would stay open.
      await instance.client.destroyRawConnection(connection);
      throw error;
    }
  };
  const instance = knexOf({
    log: knexLog(logger),
    // knex would ask PostgreSQL for it: migrations are the same from the oldest on that we speak to.
    ...(config.client !== 'mysql2' && config.client !== 'better-sqlite3' && { version: '9.5' }),
    ...config,
    // Another default of knex only adds a warning about columns that we never leave out.
    useNullAsDefault: true,
    pool: {
      // None is kept open by an idle process; a worker needs one, and another while it extends leases.
      min: 0,
      max: 5,
      ...pool,
      // One writer at a time is all that SQLite has; a database in memory lives in its one connection.
      ...(config.client === 'better-sqlite3' && { min: 1, max: 1 }),
      afterCreate: (connection: Connection, done: (error: unknown) => void) => {
        setUp(connection).then(() => done(null), done);
      },
    },
  } as Knex.Config);
  return instance;
}

/** knex prints by itself unless told otherwise. What matters of it comes back as errors. */
function knexLog(logger: Logger): Knex.Logger {
  const write = (message: unknown): void => logger.debug({ from: 'knex' }, String(message));
  return { debug: write, deprecate: write, warn: write, error: write };
}
