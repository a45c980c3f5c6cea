import { within } from '../../src/index.js';
import type { Client } from './client.js';
import type { Alone, Answer, Dialect } from './dialects/dialect.js';
import type { ClientPackage } from './errors.js';
import { hangingUp } from './hang-up.js';
import { Lender, tooLate } from './lend.js';
import { schemaKnex } from './load-knex.js';
import { type ConnectionSource, OwnPool } from './own-pool.js';

/** Opens connections to a server through its client's package alone. */
export interface Opener<Connection> extends ConnectionSource<Connection> {
  /** What knex calls this client, for the statements of migrations. */
  readonly client: ClientPackage;
  /** How long a connection may take to be ready, in ms. */
  readonly readyMs: number;
}

/** As knex has it for connections of ours; see `KnexConfig`. */
const most = 5;
const idleMs = 30_000;

/**
 * Connections of a pool of ours. It leaves knex unloaded, which takes longer than all else that a worker process loads,
 * until there is something to migrate.
 */
export function openOwn<Connection>(
  dialect: Pick<Dialect<Connection>, 'configure' | 'drop' | 'place'>,
  opener: Opener<Connection>,
): Client<Connection> {
  const { isLost } = opener;
  const close = hangingUp(opener.close, dialect.drop);
  const pool = new OwnPool({
    most,
    idleMs,
    isLost,
    close,
    open: () => openReady(dialect, { ...opener, close }),
  });
  const lender = new Lender(pool, dialect);
  return {
    get knex() {
      return schemaKnex(opener.client);
    },
    use: (task, deadline) => lender.use(task, deadline),
    openAlone: async (): Promise<Alone<Connection>> => {
      const connection = await opener.open();
      return { connection, end: () => close(connection) };
    },
    destroy: () => pool.end(),
  };
}

async function openReady<Connection>(
  { configure, drop, place }: Pick<Dialect<Connection>, 'configure' | 'drop' | 'place'>,
  { open, close, readyMs }: Opener<Connection>,
): Promise<Connection> {
  const connection = await open();
  const setUp = async (): Promise<Answer<void>> => configure(connection);
  try {
    await within(setUp(), readyMs, () => {
      drop(connection);
      return tooLate(place, readyMs, false);
    });
    return connection;
  } catch (error) {
    close(connection).catch(() => undefined); // it is of no use in any case
    throw error;
  }
}
