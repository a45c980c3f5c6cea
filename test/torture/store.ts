import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import type { Driver } from '../../src/index.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import { startRedis } from '../support/redis-server.js';
import type { Options } from './options.js';
import { sqlServer } from './sql-server.js';

/** A store under torture. */
export interface Store {
  /** What workers and producers connect to. */
  readonly url: string;
  /** Between them and the server; absent where there is none. */
  readonly proxy: FaultProxy | undefined;
  /** A driver for those who look on, past the proxy; none where only the project's config can reach the store. */
  readonly driver: Driver | undefined;
  /** Nobody can use the store for so long: a killed server, or a file that another process has locked. */
  breakFor(ms: number): Promise<void>;
  /** False while a process holds a lock that keeps all others out. */
  isFree(): boolean;
  /** What is left of jobs beside those that `size` counts. */
  residue(): Promise<Readonly<Record<string, number>>>;
  /** Requests of clients so far; undefined where they cannot be counted. */
  requests(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** Starts the store of a run; `folder` is the project's. */
export function startStore({ driver, fsync }: Options, folder: string): Promise<Store> {
  switch (driver) {
    case 'redis':
      return onRedis(fsync);
    case 'mysql':
      return onSql('mysql');
    case 'postgres':
      return onSql('postgres');
    default:
      return onFile(driver, join(folder, `${driver}.sqlite`));
  }
}

/** Keys that tell of no waiting or running job. */
const beside = /:(?:watcher|wake)$|\{drover\}|:failed|:workers|:restart|:paused|drover:/;

async function onRedis(fsync: Options['fsync']): Promise<Store> {
  const server = await startRedis('--appendonly', 'yes', '--appendfsync', fsync);
  const proxy = await startFaultProxy(server.port);
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    proxy,
    driver: redis(server.url),
    breakFor: async (ms) => {
      await server.crash();
      await sleep(ms);
      await server.restart();
    },
    isFree: () => true,
    residue: async () => ({
      'keys of queues': (await server.client.keys('*')).filter((key) => !beside.test(key)).length,
    }),
    requests: async () =>
      Number(/total_commands_processed:(\d+)/.exec(await server.client.info('stats'))?.[1]),
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}

async function onSql(kind: 'mysql' | 'postgres'): Promise<Store> {
  const server =
    kind === 'mysql' ? await startMariadb({ isDurable: true }) : await startPostgres({ isDurable: true });
  const proxy = await startFaultProxy(server.port);
  const sql = sqlServer(kind, server.url);
  await sql.createDatabase();
  return {
    url: sql.url.replace(`:${server.port}/`, `:${proxy.port}/`),
    proxy,
    driver: database(sql.url),
    breakFor: async (ms) => {
      await server.kill();
      await sleep(ms);
      await server.start();
    },
    isFree: () => true,
    residue: async () => ({ rows: await sql.rows('jobs') }),
    requests: () => sql.requests(),
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}

async function onFile(driver: Options['driver'], file: string): Promise<Store> {
  const raw = new Database(file, { timeout: 10_000 });
  raw.pragma('journal_mode = WAL');
  return {
    url: `sqlite:${file}`,
    proxy: undefined,
    driver: driver === 'sqlite' ? database(`sqlite:${file}`) : undefined,
    breakFor: async (ms) => {
      raw.exec('BEGIN IMMEDIATE');
      await sleep(ms);
      raw.exec('COMMIT');
    },
    isFree: () => {
      if (raw.inTransaction) return true; // it is we who have it
      raw.pragma('busy_timeout = 100');
      try {
        raw.exec('BEGIN IMMEDIATE; ROLLBACK');
        return true;
      } catch {
        return false;
      } finally {
        raw.pragma('busy_timeout = 10000');
      }
    },
    residue: async () => ({
      rows: raw.prepare<[], { n: number }>('SELECT count(*) AS n FROM jobs').get()?.n ?? 0,
    }),
    requests: async () => undefined,
    stop: async () => void raw.close(),
  };
}
