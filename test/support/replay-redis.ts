import type { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { type MonitoredRedis, monitoredRedis } from './monitored-redis.js';

/** A Redis to replay recordings on: what goes over `connection` is all that the monitor sees of it. */
export interface ReplayRedis extends Pick<MonitoredRedis, 'server' | 'monitor'> {
  readonly connection: Redis;
}

/** Starts a Redis before the tests of this file and stops it after them; each leaves it empty. */
export function replayRedis(): ReplayRedis {
  const redis = monitoredRedis();
  let connection: Redis;
  beforeAll(async () => {
    connection = redis.server.client.duplicate();
    await connection.ping(); // connected, with what a client asks for that
  });
  afterAll(() => connection?.disconnect());
  return {
    get server() {
      return redis.server;
    },
    get monitor() {
      return redis.monitor;
    },
    get connection() {
      return connection;
    },
  };
}
