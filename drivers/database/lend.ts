import { Deadlines, QueueError } from '../../src/index.js';
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

/** One connection that is lent, or will be. */
interface Loan<Connection> {
  connection: Connection | undefined;
  isLate: boolean;
}

/** Lends connections of a pool, each to one task at a time, for as long as the task may take. */
export class Lender<Connection> {
  readonly #pool: Pool<Connection>;
  readonly #dialect: Pick<Dialect<Connection>, 'drop' | 'place'>;
  readonly #deadlines = new Deadlines();

  constructor(pool: Pool<Connection>, dialect: Pick<Dialect<Connection>, 'drop' | 'place'>) {
    this.#pool = pool;
    this.#dialect = dialect;
  }

  /**
   * Lends one to `task`.
   *
   * @throws NotConnected where none was to be had; QueueError `E_STORE_UNAVAILABLE` past the deadline, when the
   * connection has been cut off.
   */
  use<T>(task: (connection: Connection) => Answer<T>, deadlineMs?: Deadline): Promise<T> {
    const loan: Loan<Connection> = { connection: undefined, isLate: false };
    const done = this.#lend(loan, task);
    if (deadlineMs === undefined) return done;
    return this.#deadlines.within(done, deadlineMs, { late: () => this.#endLate(loan, deadlineMs) });
  }

  async #lend<T>(loan: Loan<Connection>, task: (connection: Connection) => Answer<T>): Promise<T> {
    const taken = this.#pool.take(() => !loan.isLate);
    const connection = taken instanceof Promise ? await taken : taken;
    let isWell = false;
    try {
      if (loan.isLate) throw new Error('nobody waits for it any more');
      loan.connection = connection;
      const result = await task(connection);
      isWell = !loan.isLate;
      return result;
    } finally {
      const givenBack = this.#pool.giveBack(connection, isWell);
      if (givenBack instanceof Promise) await givenBack;
    }
  }

  #endLate(loan: Loan<Connection>, deadlineMs: Deadline): QueueError {
    const { drop, place } = this.#dialect;
    loan.isLate = true;
    // The task ends with it, and gives it back to the pool, which drops it.
    if (loan.connection !== undefined) drop(loan.connection);
    return tooLate(place, deadlineMs, loan.connection !== undefined);
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
