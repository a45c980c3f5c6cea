import { waitAtMost } from '../../src/index.js';

/** How long a connection may take to end in order, in ms. */
const endMs = 5000;

/**
 * Ends connections in order, or cuts them off where their server is silent: what stays open would keep a process alive that
 * is done, for ever or until the kernel gives up.
 */
export function hangingUp<Connection>(
  end: (connection: Connection) => unknown,
  drop: (connection: Connection) => void,
): (connection: Connection) => Promise<void> {
  return async (connection) => {
    try {
      await waitAtMost(Promise.resolve(end(connection)), endMs);
    } finally {
      drop(connection);
    }
  };
}
