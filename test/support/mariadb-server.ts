import { dirname } from 'node:path';
import { type DatabaseServer, startServer } from './server-process.js';

/**
 * Starts a MariaDB server of its own.
 *
 * @param options.isDurable waits for the disk at each commit, as servers do by default; quick without.
 * @param options.flags more of its command line.
 */
export function startMariadb({
  isDurable = false,
  flags = [],
}: {
  readonly isDurable?: boolean;
  readonly flags?: readonly string[];
} = {}): Promise<DatabaseServer> {
  return startServer({
    name: 'mariadb',
    user: 'mysql',
    scheme: 'mysql://root',
    stopSignal: 'SIGKILL',
    ready: /ready for connections/,
    initialise: (data) => [
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${dirname(data)}`, // apart from other servers, whose temporary tables have the same names
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    run: (data, port) => [
      'mariadbd',
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${dirname(data)}`,
      `--socket=${data}.sock`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--max-connections=300',
      '--innodb-buffer-pool-size=256M',
      '--innodb-print-all-deadlocks=1',
      ...flags,
      ...(isDurable ? [] : ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0']),
    ],
  });
}
