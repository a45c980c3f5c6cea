import { QueueError, within } from '../../src/index.js';
import type { Answer, Dialect } from './dialects/dialect.js';
import { NotConnected } from './errors.js';
import type { KnexInstance } from './knex-types.js';

/** How long a call may take, in ms. */
export type Deadline = number;

/**
 * Lends one connection of the pool to `task` and gives it back.
 *
 * @throws NotConnected where none was to be had; QueueError `E_STORE_UNAVAILABLE` past the deadline, when the
 * connection has been cut off.
 */
export async function lend<Connection, T>(
  { client }: KnexInstance,
  dialect: Pick<Dialect<Connection>, 'drop' | 'place'>,
  task: (connection: Connection) => Answer<T>,
  deadlineMs?: Deadline,
): Promise<T> {
  let lent: Connection | undefined;
  let isLate = false;
  const run = async (): Promise<T> => {
    const connection = await acquire<Connection>(client);
    try {
      if (isLate) throw new Error('nobody waits for it any more');
      lent = connection;
      return await task(connection);
    } finally {
      await client.releaseConnection(connection);
    }
  };
  if (deadlineMs === undefined) return await run();
  return await within(run(), deadlineMs, () => {
    isLate = true;
    // The task ends with it, and gives it back to the pool, which drops it.
    if (lent !== undefined) dialect.drop(lent);
    return tooLate(dialect.place, deadlineMs, lent !== undefined);
  });
}

async function acquire<Connection>(client: KnexInstance['client']): Promise<Connection> {
  try {
    return await client.acquireConnection();
  } catch (error) {
    throw new NotConnected(error);
  }
}

/** The error for a call whose time is over. */
export function tooLate(place: string, deadlineMs: number, isSent: boolean): QueueError {
  const what = isSent
    ? `${place} gave no answer within ${deadlineMs} ms; whether it did what was asked is open`
    : `${place} had no connection for us within ${deadlineMs} ms; nothing was sent`;
  return new QueueError('E_STORE_UNAVAILABLE', what, {
    fix: isSent
      ? 'Check that the server runs and keeps up, or set a longer commandTimeout.'
      : 'Check that the server can be reached, and that no transaction holds on to the connections of the pool.',
    transient: true,
    ambiguous: isSent,
  });
}
