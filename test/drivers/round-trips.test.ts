import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, silentLogger, systemClock } from '../../src/index.js';
import { failedRecord, jobs, offered } from '../conformance/steps.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { startRedis } from '../support/redis-server.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

/** A store, and how often it was asked so far: a server through a proxy that sees each request, a file by statement. */
interface Store {
  readonly connector: Connector;
  asked(): number;
  close(): Promise<void>;
}

async function onRedis(): Promise<Store> {
  const server = await startRedis();
  const proxy = await startFaultProxy(server.port);
  const context = {
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  };
  const connector = redis(`redis://127.0.0.1:${proxy.port}`).connect(context);
  const close = async () => {
    await connector.close();
    await proxy.close();
    await server.stop();
  };
  return { connector, asked: () => proxy.requests, close };
}

async function onServer(kind: ServerName): Promise<Store> {
  const sandbox = await new ServerSandbox(kind).make();
  const proxy = await startFaultProxy(Number(new URL(sandbox.url).port));
  const url = sandbox.urlAt(proxy.port);
  // Telling others of a push is no part of it.
  const connector = sandbox.open({ url, ...(kind === 'postgres' && { notify: false }) });
  const close = async () => {
    await sandbox.clean();
    await proxy.close();
  };
  return { connector, asked: () => proxy.requests, close };
}

async function onFile(): Promise<Store> {
  const sandbox = new SqliteSandbox();
  const file = sandbox.newFile();
  const raw = new Database(':memory:');
  const prototype = Object.getPrototypeOf(raw.prepare('SELECT 1'));
  raw.close();
  const original = { all: prototype.all, get: prototype.get, run: prototype.run };
  let count = 0;
  for (const [name, method] of Object.entries(original)) {
    prototype[name] = function counted(this: Database.Statement, ...values: unknown[]) {
      if (this.database.name === file) count += 1;
      return method.apply(this, values);
    };
  }
  const close = async () => {
    Object.assign(prototype, original);
    await sandbox.clean();
  };
  return { connector: sandbox.open(file), asked: () => count, close };
}

/** The most requests that a verb may take, one after the other, once its statements or scripts are known. */
const budgets = {
  redis: { push: 1, bulk: 1, idle: 1, reserve: 1, extend: 1, release: 1, fail: 1, delete: 1, both: 1 },
  mariadb: { push: 1, bulk: 5, idle: 3, reserve: 4, extend: 1, release: 3, fail: 5, delete: 1, both: 5 },
  sqlite: { push: 1, bulk: 15, idle: 3, reserve: 33, extend: 1, release: 1, fail: 22, delete: 12, both: 13 },
  postgres: { push: 1, bulk: 1, idle: 1, reserve: 1, extend: 1, release: 1, fail: 4, delete: 1, both: 1 },
} as const;

describe.each([
  ['redis', onRedis],
  ['mariadb', () => onServer('mariadb')],
  ['sqlite', onFile],
  ['postgres', () => onServer('postgres')],
] as const)('%s', (name, open) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => store?.close());

  test('the round trips of each verb are as few as they were', async () => {
    const { asked } = store;
    const connector = offered(store.connector);
    // Redis: a short script that was of no use, as here where jobs have ids, is tried again some milliseconds later.
    vi.spyOn(process, 'hrtime').mockReturnValue(process.hrtime());
    const trips: Partial<Record<keyof typeof budgets.redis, number>> = {};
    const count = async <T>(verb: keyof typeof trips, call: () => Promise<T>): Promise<T> => {
      const fromTrips = asked();
      const result = await call();
      trips[verb] = asked() - fromTrips;
      return result;
    };
    // Twice: the first time makes connections, statements and scripts.
    for (let round = 0; round < 2; round += 1) {
      await count('push', () => connector.push('q', jobs(1, `one-${round}-`)));
      await count('bulk', () => connector.push('q', jobs(100, `many-${round}-`)));
      await count('idle', () => connector.reserve(['empty'], 10, 60_000));
      const held = await count('reserve', () => connector.reserve(['q'], 30, 60_000));
      expect(held).toHaveLength(30);
      const leases = held.map(({ lease }) => lease);
      await count('extend', () => connector.extend(leases, 60_000));
      await count('release', () =>
        connector.release(leases.slice(0, 10).map((lease) => ({ lease, delayMs: 60_000 }))),
      );
      const failures = held.slice(10, 20).map((one) => ({ lease: one.lease, record: failedRecord(one) }));
      await count('fail', () => connector.fail(failures));
      expect(await count('delete', () => connector.delete(leases.slice(20)))).toEqual(Array(10).fill(true));
      const done = (await connector.reserve(['q'], 5, 60_000)).map(({ lease }) => lease);
      const trip = () => connector.deleteAndReserve(done, ['q'], 5, 60_000);
      const { held: gone, jobs: next } = await count('both', trip);
      expect([gone, next.length]).toEqual([Array(5).fill(true), 5]);
      await connector.clear('q', { reserved: true });
    }
    console.log(`${name}: ${JSON.stringify(trips)}`);
    const over = Object.entries(budgets[name]).filter(
      ([verb, most]) => (trips[verb as keyof typeof trips] ?? 99) > most,
    );
    expect(over, JSON.stringify(trips)).toEqual([]);
  });

  test('workers have more jobs ahead where a trip takes long, and fewer where it leaves the process nowhere', () => {
    const most: Partial<Record<typeof name, number>> = { postgres: 600, redis: 400, sqlite: 54 };
    expect(store.connector.prefetch).toBe(most[name]);
  });
});

test.each(['postgres', 'mariadb'] as const)(
  '%s: what a worker reads as it begins is one statement',
  async (name) => {
    const { connector, asked, close } = await onServer(name);
    const signals = offered(connector).signals;
    const readAll = () => Promise.all([signals.read('one'), signals.read('other'), signals.read('one')]);
    await signals.write('one', '1');
    // The first time prepares statements, of one key and of more.
    await signals.read('other');
    await readAll();
    const before = asked();
    expect(await readAll()).toEqual(['1', null, '1']);
    expect(asked() - before).toBe(1);
    await close();
  },
);
