import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { type RedisOptions, redis } from '../../drivers/redis/index.js';
import {
  type Connector,
  createQueue,
  defineJob,
  type QueueError,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { recordingLogger } from '../support/recorder.js';
import { afterwards, away, blockedIn, errorOf, goesOn, job, until } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const context = { connection: 'redis', clock: systemClock, logger: silentLogger, runInline: async () => {} };
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(...flags: string[]): Promise<RedisServer> {
  const server = await startRedis(...flags);
  opened.push({ close: () => server.stop() });
  return server;
}

function connect(options: string | RedisOptions): Connector {
  const connector = redis(options).connect(context);
  opened.push(connector);
  return connector;
}

/** A client of the application, which does not look by itself whether the server is loading. */
function clientOf({ port }: RedisServer): Redis {
  const client = new Redis({ port, host: '127.0.0.1', enableReadyCheck: false, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  opened.push({ close: async () => client.disconnect() });
  return client;
}

/** Makes a call until the server is there to answer it. */
async function onceItAnswers<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || !/ECONNREFUSED|was lost while|writeable/.test(error.message))
        throw error;
    }
  }
}

describe('a server that loads what it had saved', () => {
  test('is waited for, and told by those that do not wait', async () => {
    const server = await start('--loading-process-events-interval-bytes', '1024');
    const connector = connect({ url: server.url, commandTimeout: 0.2 });
    const ofClient = connect({ client: clientOf(server) });
    // A busy machine takes longer than that to connect.
    await afterwards(() => connector.push('q', [job('a'), job('b')]));
    const many = 'for i = 1, 800 do redis.call("SET", "other" .. i, string.rep("x", 100)) end';
    await server.client.eval(many, 0);
    await server.client.save();
    await server.crash();
    await server.restart('--key-load-delay', '1000');
    expect(await errorOf(onceItAnswers(() => ofClient.push('q', [job('c')])))).toMatchObject({
      ...away(),
      message: expect.stringContaining('LOADING'),
    });
    expect(await errorOf(connector.push('q', [job('c')]))).toMatchObject(away());
    await goesOn(connector, ['a', 'b']);
    await ofClient.push('q', [job('d')]);
  });
});

describe('a server that became a replica', () => {
  test('refuses writes until it is master again', async () => {
    const server = await start();
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    const [held] = await connector.reserve(['q'], 1, 60_000);
    const leases = held ? [held.lease] : [];
    await server.client.replicaof('127.0.0.1', '1');
    const calls = [
      () => connector.push('q', [job('b')]),
      () => connector.reserve(['q'], 1, 60_000),
      () => connector.delete(leases),
      () => connector.release(leases.map((lease) => ({ lease, delayMs: 0 }))),
    ];
    for (const call of calls) expect(await errorOf(call())).toMatchObject(away());
    await server.client.replicaof('NO', 'ONE');
    expect(await afterwards(() => connector.extend(leases, 60_000))).toEqual([true]);
    expect(await connector.unreserve?.(leases)).toEqual([true]);
    await goesOn(connector, ['a']);
  });

  test('without its master, and not to serve stale data, refuses everything', async () => {
    const server = await start('--replica-serve-stale-data', 'no');
    const connector = connect(server.url);
    await connector.push('q', [job('a')]);
    await server.client.replicaof('127.0.0.1', '1');
    for (const call of [() => connector.push('q', [job('b')]), () => connector.size('q')]) {
      const error = await errorOf(call());
      expect(error).toMatchObject(away());
      expect(error.message).toContain('MASTERDOWN');
    }
    await server.client.replicaof('NO', 'ONE');
    await goesOn(connector, ['a']);
  });

  test('lets a waiting worker look again and again, and wakes it afterwards', async () => {
    const server = await start();
    const ran: string[] = [];
    const logger = recordingLogger();
    const queue = createQueue({
      connections: { default: redis({ url: server.url, queue: 'q' }) },
      jobs: [defineJob({ name: 'mail', handle: ({ job: { id } }) => void ran.push(id) })],
      logger,
    });
    const stop = new AbortController();
    const running = queue.worker().run(stop.signal);
    await until(async () => (await blockedIn(server, 'blmove')) === 1);
    const fromMs = performance.now();
    await server.client.replicaof('127.0.0.1', '1');
    const refusals = () => logger.lines.filter(({ level }) => level === 'warn' || level === 'error');
    await until(() => refusals().length >= 4);
    const awayMs = performance.now() - fromMs;
    await server.client.replicaof('NO', 'ONE');
    // The waits between its looks are kept: it asks less and less often.
    const waits = refusals().map(({ fields }) => Number(fields.waitMs));
    expect(waits.slice(0, -1).reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(awayMs + 50);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(80);
    const deaf = logger.lines.filter(({ message }) => message.startsWith('a waiting connection failed'));
    expect(deaf.length).toBeLessThanOrEqual(2 * Math.ceil(1 + awayMs / 1000)); // two connections wait
    await until(async () => (await blockedIn(server, 'blmove')) === 1);
    const producer = connect(server.url);
    // Without being woken it would look once a second, which takes all of these together three seconds on average.
    const wokenFromMs = performance.now();
    for (let round = 0; round < 6; round++) {
      await producer.push('q', [job(`j${round}`)]);
      await until(() => ran.length > round);
      await until(async () => (await blockedIn(server, 'blmove')) === 1);
    }
    expect(performance.now() - wokenFromMs).toBeLessThan(3000);
    stop.abort();
    expect(await running).toBe('signal');
    await queue.close();
    expect(ran).toEqual(['j0', 'j1', 'j2', 'j3', 'j4', 'j5']);
  });
});

describe('a server that is killed and started again', () => {
  test('has every push that was accepted, with appendfsync always', async () => {
    const server = await start('--appendonly', 'yes', '--appendfsync', 'always');
    const connector = connect(server.url);
    const accepted: string[] = [];
    const open: string[] = [];
    const stop = new AbortController();
    const producers = Array.from({ length: 4 }, async (_, producer) => {
      for (let count = 0; !stop.signal.aborted; count++) {
        const id = `p${producer}-${count}`;
        try {
          await connector.push('q', [job(id)]);
          accepted.push(id);
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
          if ((error as QueueError).ambiguous) open.push(id);
          await pause(20);
        }
      }
    });
    for (let time = 1; time <= 2; time++) {
      const before = accepted.length;
      await until(() => accepted.length > before + 50);
      await server.crash();
      await server.restart();
    }
    const before = accepted.length;
    await until(() => accepted.length > before + 50);
    stop.abort();
    await Promise.all(producers);
    const jobs = await connector.reserve(['q'], 100_000, 60_000);
    const ids = jobs.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(accepted.filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.filter((id) => !accepted.includes(id) && !open.includes(id))).toEqual([]);
    await connector.delete(jobs.map(({ lease }) => lease));
    await goesOn(connector, []);
  });
});
