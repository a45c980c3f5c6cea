import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Queue } from '../../src/index.js';
import { Monitor } from './monitor.js';
import { type RedisServer, startRedis } from './redis-server.js';

/** A Redis for the tests of one file, and what is told of its commands. */
export interface MonitoredRedis {
  readonly server: RedisServer;
  readonly monitor: Monitor;
  /** Closes a queue after the test that opened it. */
  keep(queue: Queue): Queue;
}

/** Starts a Redis before the tests of this file and stops it after them; each finds it empty. */
export function monitoredRedis(): MonitoredRedis {
  let server: RedisServer;
  let monitor: Monitor;
  const opened: Queue[] = [];
  beforeAll(async () => {
    server = await startRedis();
    monitor = await Monitor.open(server.client, server.port);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
    await server.client.flushall();
  });
  afterAll(async () => {
    monitor?.close();
    await server?.stop();
  });
  return {
    get server() {
      return server;
    },
    get monitor() {
      return monitor;
    },
    keep(queue) {
      opened.push(queue);
      return queue;
    },
  };
}
