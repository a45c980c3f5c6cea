import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { Place, Store } from './contender.js';

/** A store started for one run of the benchmark. */
export interface Server {
  /** An empty place for one measurement. */
  emptyPlace(): Promise<Place>;
  /** Begins to count what the server does. */
  startCounting?(): Promise<void>;
  /** How often each command ran since then; scripts and what they call are counted both. */
  counted?(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** How a store is started. */
export interface ServerOptions {
  /** Redis: append each write to a file that is flushed every second. Default: no persistence. */
  readonly aof: boolean;
}

export const servers: Readonly<Record<Store, (options: ServerOptions) => Promise<Server>>> = {
  redis: startRedis,
  sqlite: startSqlite,
};

async function startRedis({ aof }: ServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const persistence = aof ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : [];
  const child = spawn('redis-server', [...flags, ...persistence], { stdio: ['ignore', 'pipe', 'inherit'] });
  await untilSaid(child, 'eady to accept connections');
  const redis = new Redis({ port, host: '127.0.0.1' });
  return {
    emptyPlace: async () => {
      await redis.flushall('SYNC');
      return { store: 'redis', port };
    },
    startCounting: async () => {
      await redis.config('RESETSTAT');
    },
    counted: async () => commandCounts(await redis.info('commandstats')),
    stop: async () => {
      redis.disconnect();
      const exited = once(child, 'exit');
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startSqlite(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  let places = 0;
  return {
    emptyPlace: async () => ({ store: 'sqlite', file: join(folder, `${places++}.sqlite`) }),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The calls in the lines `cmdstat_evalsha:calls=42,usec=…` of Redis. */
function commandCounts(stats: string): Record<string, number> {
  const found = stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...found].map(([, name, calls]) => [name ?? '', Number(calls)]));
}

async function untilSaid(child: ChildProcess, text: string): Promise<void> {
  if (child.stdout === null) throw new Error('the server has no output');
  child.on('error', () => {}); // told by the end of its output
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (!line.includes(text)) continue;
    child.stdout.resume(); // a full pipe would stop the server
    return;
  }
  throw new Error(`${child.spawnfile} did not start:\n${said.join('\n')}`);
}

/** A port of loopback that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
