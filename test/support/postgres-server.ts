import { type DatabaseServer, startServer } from './server-process.js';

/**
 * Starts a PostgreSQL server of its own.
 *
 * @param isDurable waits for the disk at each commit, as servers do by default; quick without.
 */
export function startPostgres({ isDurable = false } = {}): Promise<DatabaseServer> {
  return startServer({
    name: 'postgres',
    user: 'postgres',
    scheme: 'postgres://postgres',
    // Lets it remove its shared memory, which a killed one leaves behind.
    stopSignal: 'SIGQUIT',
    ready: /database system is ready to accept connections/,
    initialise: (data) => [
      'initdb',
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    run: (data, port) => [
      'postgres',
      '-D',
      data,
      '-p',
      String(port),
      ...settings({
        listen_addresses: '127.0.0.1',
        unix_socket_directories: data,
        max_connections: '300',
        // With the database's name, so that each test file finds its own lines.
        log_line_prefix: '%d: ',
        shared_buffers: '128MB',
        ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
      }),
    ],
  });
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
