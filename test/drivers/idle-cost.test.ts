import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, inject, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { startMariadb } from '../support/mariadb-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';
import { inTier } from '../support/tier.js';

/** A place for jobs, and how many statements were run there so far. */
interface Place {
  readonly url: string;
  statements(): Promise<number>;
  clean(): Promise<void>;
}

/** The server writes each statement of new sessions to its log, after the database's name. */
async function onPostgres(): Promise<Place> {
  const sandbox = await new ServerSandbox('postgres').make();
  const name = new URL(sandbox.url).pathname.slice(1);
  await sandbox.sql(`ALTER DATABASE ${name} SET log_statement = 'all'`);
  const line = new RegExp(`^${name}: LOG: {2}(?:execute|statement)`);
  const statements = async (): Promise<number> =>
    readFileSync(inject('postgresLog'), 'utf8')
      .split('\n')
      .filter((text) => line.test(text)).length;
  return { url: sandbox.url, statements, clean: () => sandbox.clean() };
}

/** A server of its own, which counts what all its clients ask. */
async function onMariadb(): Promise<Place> {
  const server = await startMariadb();
  const sandbox = await new ServerSandbox('mariadb', server.url).make();
  let own = 0;
  const statements = async (): Promise<number> => {
    const [row] = await sandbox.sql(`SHOW GLOBAL STATUS LIKE 'Questions'`);
    own += 1;
    return Number(row?.Value) - own;
  };
  const clean = async (): Promise<void> => {
    await sandbox.clean();
    await server.stop();
  };
  return { url: sandbox.url, statements, clean };
}

/** Counts the calls of prepared statements on a file. */
async function onFile(): Promise<Place> {
  const sandbox = new SqliteSandbox();
  const file = sandbox.newFile();
  const raw = new Database(':memory:');
  const prototype = Object.getPrototypeOf(raw.prepare('SELECT 1'));
  raw.close();
  let count = 0;
  const original = { all: prototype.all, get: prototype.get, run: prototype.run };
  for (const [name, method] of Object.entries(original)) {
    prototype[name] = function counted(this: Database.Statement, ...values: unknown[]) {
      if (this.database.name === file) count += 1;
      return method.apply(this, values);
    };
  }
  const clean = async (): Promise<void> => {
    Object.assign(prototype, original);
    await sandbox.clean();
  };
  return { url: `sqlite:${file}`, statements: async () => count, clean };
}

describe.concurrent('an idle worker', () => {
  test.each([
    ['postgres', onPostgres],
    ['mariadb', onMariadb],
    ['sqlite', onFile],
  ] as const)(
    'asks %s at most once a second, and hears the restart signal',
    async (name, make) => {
      const place = await make();
      let handled = 0;
      const count = defineJob({
        name: 'count',
        async handle() {
          handled += 1;
        },
      });
      const queue = createQueue({ connections: { default: database(place.url) }, jobs: [count] });
      const running = queue.worker().run();
      await expect.poll(() => queue.workers()).not.toEqual([]); // it has said that it is idle
      await queue.push(count);
      while (handled === 0) await pause(20);
      await pause(6000); // after work it looks more often for a while, where it cannot be woken
      const before = await place.statements();
      const fromMs = performance.now();
      await pause(inTier([5000], [20_000]).at(-1)); // the longer time has a heartbeat of each store in it
      const asked = (await place.statements()) - before;
      const seconds = (performance.now() - fromMs) / 1000;
      console.log(`${name}: ${asked} statements of an idle worker in ${seconds.toFixed(1)} s`);
      expect(asked).toBeGreaterThan(0);
      expect(asked).toBeLessThanOrEqual(Math.ceil(seconds) + 2);
      expect(await queue.workers()).toMatchObject([{ state: 'idle' }]);
      await queue.restartWorkers();
      expect(await running).toBe('restart');
      await queue.close();
      await place.clean();
    },
    60_000,
  );
});

test('several signals that are watched are read in one statement', async () => {
  const place = await onFile();
  const { clean, statements } = place;
  const queue = database(place.url);
  const context = { connection: 'db', clock: Date, runInline: async () => {} };
  const connector = queue.connect({ ...context, logger: { debug() {}, info() {}, warn() {}, error() {} } });
  const heard: [string, string | null][] = [];
  for (const key of ['a', 'b', 'c']) connector.signals?.watch?.(key, (value) => heard.push([key, value]));
  await connector.signals?.write('b', 'set');
  const before = await statements();
  while (heard.length < 3) await pause(20);
  expect(await statements()).toBe(before + 1);
  expect(heard).toEqual([
    ['a', null],
    ['b', 'set'],
    ['c', null],
  ]);
  await connector.close();
  await clean();
});
