import { expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Driver, defineJob } from '../../src/index.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { startRedis } from '../support/redis-server.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';

/** A server with a driver for it, at its own port or at that of a proxy. */
interface Server {
  readonly port: number;
  driverAt(port: number): Driver;
  stop(): Promise<void>;
}

async function onRedis(): Promise<Server> {
  const server = await startRedis();
  return {
    port: server.port,
    driverAt: (port) => redis(`redis://127.0.0.1:${port}`),
    stop: () => server.stop(),
  };
}

async function onDatabase(kind: ServerName): Promise<Server> {
  const sandbox = await new ServerSandbox(kind).make();
  return {
    port: Number(new URL(sandbox.url).port),
    driverAt: (port) => database(sandbox.urlAt(port)),
    stop: () => sandbox.clean(),
  };
}

/**
 * How often a worker asks its server until its first job starts: to be let in, to set up the session, for the schema, for
 * what is paused and the restart signal, which are one request, and for jobs. MariaDB is set up in two, is told three
 * statements before they run, and gives jobs in five. Redis has no schema.
 */
test.each([
  ['redis', onRedis, 5],
  ['mariadb', () => onDatabase('mariadb'), 13],
  ['postgres', () => onDatabase('postgres'), 5],
] as const)(
  '%s: a worker comes to its first job with as few round trips as it did',
  async (_, open, trips) => {
    const server = await open();
    let asked = 0;
    const job = defineJob({
      name: 'first',
      handle: () => {
        asked = proxy.requests;
      },
    });
    const producer = createQueue({ connections: { default: server.driverAt(server.port) }, jobs: [job] });
    await producer.push(job, {}); // which makes the tables, and has scripts loaded
    await producer.close();

    const proxy = await startFaultProxy(server.port);
    const queue = createQueue({ connections: { default: server.driverAt(proxy.port) }, jobs: [job] });
    await queue.worker({ once: false, maxJobs: 1, heartbeat: 0 }).run();
    await queue.close();
    await proxy.close();
    await server.stop();
    expect(asked).toBe(trips);
  },
);
