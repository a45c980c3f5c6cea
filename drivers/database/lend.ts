import { QueueError, within } from '../../src/index.js';
import type { Answer, Dialect } from './dialects/dialect.js';
import { NotConnected } from './errors.js';
import type { KnexInstance } from './knex-types.js';

/** How long a call may take, in ms. */
export type Deadline = number;

/** What connections are lent from. */
export interface Pool<Connection> {
  /**
   * One that nobody else has, at once where it can.
   *
   * @param isWanted false once nobody waits for it any more: it may never come then.
   * @throws NotConnected where there is none to be had.
   */
  take(isWanted?: () => boolean): Connection | Promise<Connection>;
  /** @param isWell false where something went wrong with it. */
  giveBack(connection: Connection, isWell: boolean): unknown;
}

/** The pool of a knex instance, which drops lost connections itself. */
export function poolOf<Connection>({ client }: KnexInstance): Pool<Connection> {
  return {
    async take() {
      try {
        return await client.acquireConnection();
      } catch (error) {
        throw new NotConnected(error);
      }
    },
    giveBack: (connection) => client.releaseConnection(connection),
  };
}

/**
 * Lends one connection of the pool to `task` and gives it back.
 *
 * @throws NotConnected where none was to be had; QueueError `E_STORE_UNAVAILABLE` past the deadline, when the
 * connection has been cut off.
 */
export async function lend<Connection, T>(
  pool: Pool<Connection>,
  dialect: Pick<Dialect<Connection>, 'drop' | 'place'>,
  task: (connection: Connection) => Answer<T>,
  deadlineMs?: Deadline,
): Promise<T> {
  let lent: Connection | undefined;
  let isLate = false;
  const run = async (): Promise<T> => {
    const taken = pool.take(() => !isLate);
    const connection = taken instanceof Promise ? await taken : taken;
    let isWell = false;
    try {
      if (isLate) throw new Error('nobody waits for it any more');
      lent = connection;
      const result = await task(connection);
      isWell = !isLate;
      return result;
    } finally {
      await pool.giveBack(connection, isWell);
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
