import type { Client } from './client.js';
import type { Alone, Answer, Dialect } from './dialects/dialect.js';
import { type ClientPackage, NotConnected } from './errors.js';
import { schemaKnex } from './load-knex.js';

/** Opens connections of a database that needs no pool, without knex. */
export interface SingleOpener<Connection> {
  /** What knex calls this client, for the statements of migrations. */
  readonly client: ClientPackage;
  open(): Connection;
  close(connection: Connection): void;
}

/**
 * One connection, opened by its first use and lent to one task after the other: at once where it is open and nobody has
 * it. It leaves knex unloaded, which takes longer than all else that a worker process loads, until there is something to
 * migrate.
 */
export function openSingle<Connection>(
  dialect: Pick<Dialect<Connection>, 'configure'>,
  opener: SingleOpener<Connection>,
): Client<Connection> {
  let opening: Promise<Connection> | undefined;
  let opened: Connection | undefined;
  let last: Promise<void> = Promise.resolve();
  let inLine = 0;
  // Without what it answered, which would live as long.
  const ended = (): void => {
    inLine -= 1;
  };
  const whenOpen = async (): Promise<Connection> => {
    opening ??= openWith(dialect, opener);
    try {
      opened = await opening;
      return opened;
    } catch (error) {
      opening = undefined; // so that the next task tries anew
      throw new NotConnected(error);
    }
  };
  /** Calls in turn, whether or not those before have failed. */
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    inLine += 1;
    const called = last.then(call);
    last = called.then(ended, ended);
    return called;
  };
  return {
    get knex() {
      return schemaKnex(opener.client);
    },
    use: <T>(task: (connection: Connection) => Answer<T>): Answer<T> => {
      if (opened === undefined || inLine > 0) return inTurn(async () => task(await whenOpen()));
      const answer = task(opened);
      return answer instanceof Promise ? inTurn(() => answer) : answer;
    },
    openAlone: async (): Promise<Alone<Connection>> => {
      const alone = opener.open();
      return { connection: alone, end: async () => opener.close(alone) };
    },
    destroy: () =>
      inTurn(async () => {
        const open = await opening?.catch(() => undefined);
        opening = undefined;
        opened = undefined;
        if (open !== undefined) opener.close(open);
      }),
  };
}

async function openWith<Connection>(
  { configure }: Pick<Dialect<Connection>, 'configure'>,
  { open, close }: SingleOpener<Connection>,
): Promise<Connection> {
  const connection = open();
  try {
    await configure(connection);
    return connection;
  } catch (error) {
    close(connection);
    throw error;
  }
}
