import type { Opener } from '../opener.js';
import { loadPg } from './load-pg.js';
import { disconnect, type PostgresConnection } from './postgres-connection.js';

/** What the package pg keeps to itself of a client. */
interface Inside {
  readonly _ended: boolean;
  readonly _queryable: boolean;
  readonly connection: { readonly stream: { readonly destroyed: boolean } };
}

/**
 * Opens connections to PostgreSQL. pg is loaded for the first of them.
 */
export function postgresOpener(address: object, readyMs: number): Opener<PostgresConnection> {
  return {
    client: 'pg',
    readyMs,
    async open() {
      const { Client } = loadPg();
      const client = new Client({ connectionTimeoutMillis: readyMs, ...address });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return client;
      } catch (error) {
        disconnect(client); // one that was refused would stay until the server closes it
        throw error;
      }
    },
    isLost(client) {
      const { _ended, _queryable, connection } = client as unknown as Inside;
      return _ended || !_queryable || connection.stream.destroyed;
    },
    async close(client) {
      await client.end();
    },
  };
}
