import mysql, { type RowDataPacket } from 'mysql2/promise';
import type { Server } from '../servers.js';
import { difference } from './counts.js';
import { startProcess } from './process.js';

/** Starts MariaDB, which waits for the disk at each commit, as it does by default. */
export async function startMariadb(): Promise<Server> {
  const { port, stop } = await startProcess({
    user: 'mysql',
    initialise: (folder) => [
      'mariadb-install-db',
      ...['--no-defaults', `--datadir=${folder}/data`, `--tmpdir=${folder}`],
      ...['--auth-root-authentication-method=normal', '--skip-test-db'],
    ],
    run: (folder, port) => [
      'mariadbd',
      ...['--no-defaults', `--datadir=${folder}/data`, `--tmpdir=${folder}`, `--socket=${folder}/socket`],
      ...[`--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve', '--max-connections=200'],
      '--innodb-buffer-pool-size=512M',
    ],
    ready: 'ready for connections',
    stopSignal: 'SIGKILL',
  });
  const urlOf = (database: string) => `mysql://root@127.0.0.1:${port}/${database}`;
  const client = await mysql.createConnection(urlOf(''));
  let places = 0;
  let before: Record<string, number> = {};

  const counts = async (): Promise<Record<string, number>> => {
    const [rows] = await client.query<RowDataPacket[]>(
      `SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_begin', 'Com_commit', 'Com_select',
         'Com_insert', 'Com_update', 'Com_update_multi', 'Com_delete', 'Innodb_os_log_written')`,
    );
    return Object.fromEntries(rows.map(({ Variable_name, Value }) => [String(Variable_name), Number(Value)]));
  };
  return {
    emptyPlace: async () => {
      if (places > 0) await client.query(`DROP DATABASE IF EXISTS bench_${places}`);
      places += 1;
      await client.query(`CREATE DATABASE bench_${places}`);
      return { store: 'mysql', url: urlOf(`bench_${places}`) };
    },
    startCounting: async () => {
      before = await counts();
    },
    counted: async () => difference(await counts(), before),
    stop: async () => {
      client.destroy();
      await stop();
    },
  };
}
