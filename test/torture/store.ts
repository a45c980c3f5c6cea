import { setTimeout as sleep } from 'node:timers/promises';
import { database } from '../../drivers/database/index.js';
import type { Driver } from '../../src/index.js';
import type { FaultEvent } from '../conformance/index.js';
import { startDurable } from '../support/durable-server.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { onFile } from './file-store.js';
import type { Options } from './options.js';
import { onCluster, onSentinel } from './redis-group-store.js';
import { onRedis } from './redis-store.js';
import { sqlServer } from './sql-server.js';

/** Something that can be done to a store for a while. */
export interface Breakage {
  readonly fault: FaultEvent['fault'];
  /** For people. */
  readonly what: string;
  /** Of what was written how long before may be undone by it. */
  readonly undoneMs?: number;
  /** Breaks it, mends it after so long, and resolves when it is whole again. */
  last(ms: number): Promise<void>;
}

/** A store under torture. */
export interface Store {
  /** Options of the driver by which workers and producers reach it. */
  readonly reach: Readonly<Record<string, unknown>>;
  /** Between them and the server; absent where there is none. */
  readonly proxy: FaultProxy | undefined;
  /** A driver for those who look on, past the proxy; none where only the project's config can reach the store. */
  readonly driver: Driver | undefined;
  /** True where it tells the time, so that clocks of workers are their own business. */
  readonly hasClock: boolean;
  /** Nobody can use the store: a killed server, or a file that another process has locked. */
  readonly outage: Breakage;
  /** Nothing more can be stored. Absent where nobody can bring that about. */
  readonly full: Breakage | undefined;
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
    case 'redis-cluster':
      return onCluster(fsync);
    case 'redis-sentinel':
      return onSentinel(fsync);
    case 'mysql':
    case 'postgres':
      return onSql(driver);
    default:
      return onFile(driver, folder);
  }
}

async function onSql(kind: 'mysql' | 'postgres'): Promise<Store> {
  const server = await startDurable(kind === 'mysql' ? 'mariadb' : kind);
  const proxy = await startFaultProxy(server.port);
  const sql = sqlServer(kind, server.url);
  await sql.createDatabase();
  return {
    reach: { url: sql.url.replace(`:${server.port}/`, `:${proxy.port}/`) },
    proxy,
    driver: database(sql.url),
    hasClock: true,
    outage: {
      fault: 'outage',
      what: 'server killed and started again',
      last: async (ms) => {
        await server.kill();
        await sleep(ms);
        await server.start();
      },
    },
    full: undefined,
    isFree: () => true,
    residue: async () => ({ rows: await sql.rows('jobs') }),
    // Not the server's own count: it tells what an idle session did up to ten seconds late, and what vacuums do.
    requests: async () => proxy.requests,
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}
