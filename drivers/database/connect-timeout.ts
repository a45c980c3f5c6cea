import type { KnexConfig, KnexInstance } from './knex-types.js';

/** What knex's pools and clients are told so that a connection is given up that nobody answers. */
export interface ConnectTimeout {
  /** For the pool, which calls wait for. Its own would be 30 s, and calls would wait that much longer than a server is away. */
  readonly pool: { readonly createTimeoutMillis?: number };
  /** For the client, unless it is told by the application: what the pool alone gives up would keep the process alive. */
  set(instance: KnexInstance): void;
}

/** Gives connections to a server up that are not ready after so many ms. */
export function connectTimeout({ client }: Pick<KnexConfig, 'client'>, ms: number): ConnectTimeout {
  if (client === 'better-sqlite3') return { pool: {}, set: () => {} };
  const option = client === 'mysql2' ? 'connectTimeout' : 'connectionTimeoutMillis';
  return {
    pool: { createTimeoutMillis: ms },
    set: (instance) => {
      // As knex has read them, from a URL too. Not copied: it hides the password in them.
      instance.client.connectionSettings[option] ??= ms;
    },
  };
}
