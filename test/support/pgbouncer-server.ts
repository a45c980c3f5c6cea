import { writeFileSync } from 'node:fs';
import { type DatabaseServer, startServer } from './server-process.js';

/**
 * Starts a PgBouncer in front of a PostgreSQL server, which hands out another session for each transaction.
 *
 * @param port of the server.
 */
export function startPgbouncer(port: number): Promise<DatabaseServer> {
  return startServer({
    name: 'pgbouncer',
    user: 'postgres',
    scheme: 'postgres://postgres',
    stopSignal: 'SIGKILL', // the gentle ones may wait for its clients, and it leaves nothing behind
    ready: /process up/,
    initialise: (data) => ['mkdir', data],
    run: (data, own) => {
      const file = `${data}/pgbouncer.ini`;
      writeFileSync(file, settings(port, own));
      return ['pgbouncer', file];
    },
  });
}

function settings(server: number, own: number): string {
  return `
[databases]
* = host=127.0.0.1 port=${server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
`;
}
