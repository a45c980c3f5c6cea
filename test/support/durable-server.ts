import { startMariadb } from './mariadb-server.js';
import { startPostgres } from './postgres-server.js';
import type { DatabaseServer } from './server-process.js';
import type { ServerName } from './server-sandbox.js';

/** Starts a server that keeps what it answered, also when it is killed. */
export function startDurable(kind: ServerName): Promise<DatabaseServer> {
  return kind === 'mariadb' ? startMariadb({ isDurable: true }) : startPostgres({ isDurable: true });
}
