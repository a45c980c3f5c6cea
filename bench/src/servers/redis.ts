import { Redis } from 'ioredis';
import type { Server, ServerOptions } from '../servers.js';
import { startProcess } from './process.js';

/** Starts Redis, without persistence unless an append-only file is asked for. */
export async function startRedis({ aof }: ServerOptions): Promise<Server> {
  const persistence = aof ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : [];
  const { port, stop } = await startProcess({
    run: (folder, port) => [
      'redis-server',
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...persistence,
    ],
    ready: 'eady to accept connections',
    stopSignal: 'SIGTERM',
  });
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
    stop: () => {
      redis.disconnect();
      return stop();
    },
  };
}

/** The calls in the lines `cmdstat_evalsha:calls=42,usec=…` of Redis. */
function commandCounts(stats: string): Record<string, number> {
  const found = stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...found].map(([, name, calls]) => [name ?? '', Number(calls)]));
}
