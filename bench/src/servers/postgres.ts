import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Server } from '../servers.js';
import { difference } from './counts.js';
import { startProcess } from './process.js';

/** Starts PostgreSQL, which waits for the disk at each commit, as it does by default. */
export async function startPostgres(): Promise<Server> {
  const { port, stop } = await startProcess({
    user: 'postgres',
    initialise: (folder) => [
      'initdb',
      ...[`--pgdata=${folder}/data`, '--username=postgres', '--auth=trust'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync'],
    ],
    run: (folder, port) => [
      'postgres',
      ...['-D', `${folder}/data`, '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`],
      ...['-c', 'max_connections=200', '-c', 'shared_buffers=512MB', '-c', 'max_wal_size=4GB'],
    ],
    ready: 'database system is ready to accept connections',
    stopSignal: 'SIGQUIT', // lets it remove its shared memory, which a killed one leaves behind
  });
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const client = new pg.Client(urlOf('postgres'));
  await client.connect();
  let places = 0;
  let before: Record<string, number> = {};

  const counts = async (): Promise<Record<string, number>> => {
    const { rows } = await client.query(
      `SELECT xact_commit AS commits, tup_inserted AS inserted, tup_updated AS updated, tup_deleted AS deleted,
         (SELECT wal_bytes FROM pg_stat_wal) AS wal_bytes
       FROM pg_stat_database WHERE datname = $1`,
      [`bench_${places}`],
    );
    return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, count]) => [name, Number(count)]));
  };
  return {
    emptyPlace: async () => {
      if (places > 0) await client.query(`DROP DATABASE IF EXISTS bench_${places} WITH (FORCE)`);
      places += 1;
      await client.query(`CREATE DATABASE bench_${places}`);
      return { store: 'postgres', url: urlOf(`bench_${places}`) };
    },
    startCounting: async () => {
      before = await counts();
    },
    counted: async () => {
      await untilLeft(client, `bench_${places}`);
      return difference(await counts(), before);
    },
    stop: async () => {
      await client.end();
      await stop();
    },
  };
}

/** Sessions add what they have done to the statistics when they end, if not before. */
async function untilLeft(client: pg.Client, database: string): Promise<void> {
  const giveUpAt = performance.now() + 2000;
  for (;;) {
    const { rows } = await client.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [database]);
    if (rows.length === 0 || performance.now() > giveUpAt) return;
    await pause(20);
  }
}
