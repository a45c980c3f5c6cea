import type { Database } from 'better-sqlite3';
import knex, { type Knex } from 'knex';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type SqliteConnector, SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
afterAll(() => sandbox.clean());

let instance: Knex;
let connector: SqliteConnector;

beforeEach(async () => {
  const options = { safeIntegers: true };
  const connection = { filename: sandbox.newFile(), options };
  instance = knex({ client: 'better-sqlite3', connection, useNullAsDefault: true });
  connector = sandbox.open({ knex: instance });
  await connector.migrate();
});

afterEach(() => instance.destroy());

const job = { id: 'a', body: '{}' };

async function busyTimeout(): Promise<unknown> {
  const connection: Database = await instance.client.acquireConnection();
  try {
    return Number(connection.pragma('busy_timeout', { simple: true }));
  } finally {
    await instance.client.releaseConnection(connection);
  }
}

test('a ready instance stays open when the connector closes', async () => {
  await connector.push('mail', [job]);
  await connector.close();
  expect(await instance('jobs').select('job_id')).toEqual([{ job_id: 'a' }]);
});

test('its connection is as before after a verb, and after one that failed', async () => {
  expect(await busyTimeout()).toBe(5_000);
  await connector.push('mail', [job]);
  expect(await busyTimeout()).toBe(5_000);
  await instance.raw('PRAGMA query_only = ON');
  await expect(connector.push('mail', [job, job])).rejects.toMatchObject({ code: 'E_STORE_READONLY' });
  expect(await busyTimeout()).toBe(5_000);
  expect(instance.client.pool.numUsed()).toBe(0);
});

test('numbers stay numbers where the application asked for bigints', async () => {
  await connector.push('mail', [job]);
  const [taken] = await connector.reserve(['mail'], 1, 90_000);
  expect(taken).toMatchObject({ attempts: 1, lease: { handle: 1 } });
  expect(await connector.size('mail')).toEqual({ ready: 0, delayed: 0, reserved: 1 });
  expect(await connector.delete(taken ? [taken.lease] : [])).toEqual([true]);
});

test('a verb waits for the application’s transaction and sees what it left', async () => {
  const transaction = await instance.transaction();
  await transaction('queue_signals').insert({ name: 'key', value: 'kept' });
  const reading = connector.signals.read('key');
  await transaction.commit();
  expect(await reading).toBe('kept');
});

test('an instance that was destroyed is an unavailable store', async () => {
  await instance.destroy();
  await expect(connector.size('mail')).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
});
