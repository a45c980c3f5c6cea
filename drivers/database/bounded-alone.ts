import { waitAtMost, within } from '../../src/index.js';
import type { Alone, BoundedAlone, Dialect } from './dialects/dialect.js';
import { explain } from './errors.js';
import { type Deadline, tooLate } from './lend.js';

/**
 * Gives each call on a connection beside the pool the time that a verb has. A server that is gone without a word, as behind
 * a connection that only this end holds to be open, would have it waiting for ever.
 */
export function boundedAlone<Connection>(
  { connection, end }: Alone<Connection>,
  dialect: Pick<Dialect<Connection>, 'drop' | 'place' | 'explain'>,
  deadlineMs: Deadline,
): BoundedAlone<Connection> {
  const { drop, place } = dialect;
  return {
    connection,
    async ask(task) {
      try {
        return await within(task(connection), deadlineMs, () => {
          drop(connection);
          return tooLate(place, deadlineMs, true);
        });
      } catch (error) {
        throw explain(error, dialect);
      }
    },
    async end() {
      try {
        await waitAtMost(end(), deadlineMs);
      } finally {
        drop(connection);
      }
    },
  };
}
