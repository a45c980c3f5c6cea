import type { Listener, News } from './dialect.js';

/** How soon after its last job a worker looks for another. */
const shortestMs = 5;

/** Hears nothing: who waits looks again after half of the time that it has waited, so that who waits longest looks least. */
export const deaf: Listener = {
  lookAgainMs: (quietMs) => Math.max(quietMs / 2, shortestMs) * (0.8 + 0.4 * Math.random()),
  end: async () => {},
};

/** Where the database tells nobody of changes. */
export const silent: News<unknown> = { listen: async () => deaf };
