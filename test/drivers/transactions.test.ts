import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knex, { type Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobContext, type Queue } from '../../src/index.js';
import { workOff } from '../support/recorder.js';
import { ServerSandbox } from '../support/server-sandbox.js';

type Settings = { readonly config: Knex.Config; clean(): Promise<void> };

async function onServer(kind: 'mariadb' | 'postgres'): Promise<Settings> {
  const sandbox = await new ServerSandbox(kind).make();
  const client = kind === 'postgres' ? 'pg' : 'mysql2';
  return { config: { client, connection: sandbox.url }, clean: () => sandbox.clean() };
}

async function onFile(): Promise<Settings> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-transactions-'));
  const connection = { filename: join(folder, 'app.sqlite') };
  return {
    config: { client: 'better-sqlite3', connection, useNullAsDefault: true },
    clean: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

describe.each([
  ['sqlite', onFile],
  ['mariadb', () => onServer('mariadb')],
  ['postgres', () => onServer('postgres')],
] as const)('%s', (_, make) => {
  let settings: Settings;
  /** With one connection: what would need a second waits for ever. */
  let app: Knex;
  let queue: Queue;
  let handle: (context: JobContext<unknown>) => unknown = () => {};
  const record = defineJob<unknown>({
    name: 'record',
    backoff: 0,
    tries: 2,
    handle: (context) => handle(context),
  });

  beforeAll(async () => {
    settings = await make();
    app = knex({ ...settings.config, pool: { min: 0, max: 1 }, acquireConnectionTimeout: 5_000 });
    queue = createQueue({
      connections: { default: database({ knex: app }), memory: memory() },
      jobs: [record],
    });
    await queue.migrate();
    await app.schema.createTable('orders', (table) => {
      table.integer('id').primary();
    });
  });

  afterAll(async () => {
    await queue.close();
    await app.destroy();
    await settings.clean();
  });

  const orders = async (): Promise<number[]> => (await app('orders').select('id')).map(({ id }) => id);

  test('a push is stored when the transaction commits, and never when it rolls back', async () => {
    await app.transaction(async (trx) => {
      await trx('orders').insert({ id: 1 });
      await queue.using(trx).push(record, { order: 1 });
      await queue.using(trx).later('5m', record, { order: 1 });
    });
    expect(await queue.size()).toEqual({ ready: 1, delayed: 1, reserved: 0 });
    const rolledBack = app.transaction(async (trx) => {
      await trx('orders').insert({ id: 2 });
      await queue.using(trx).push(record, { order: 2 });
      throw new Error('no stock');
    });
    await expect(rolledBack).rejects.toThrow('no stock');
    expect(await queue.size()).toEqual({ ready: 1, delayed: 1, reserved: 0 });
    expect(await orders()).toEqual([1]);
    await queue.clear();
  });

  test('many jobs in one push, some of them there already', async () => {
    await queue.push(record, null, { id: 'taken-299' });
    const jobs = Array.from({ length: 600 }, (_, n) => [record, { n }, { id: `taken-${n}` }] as const);
    await app.transaction(async (trx) => {
      await queue.using(trx).pushMany(jobs);
      await queue.using(trx).bulk(record, [1, 2, 3]);
      await trx('orders').insert({ id: 3 });
    });
    expect(await queue.size()).toMatchObject({ ready: 603 });
    expect(await orders()).toContain(3);
    await queue.clear();
  });

  test("a job's end is committed with its work", async () => {
    await queue.push(record, { order: 10 });
    handle = async ({ job }) => {
      await app.transaction(async (trx) => {
        await trx('orders').insert({ id: 10 });
        await job.deleteIn(trx);
        expect(job.isDeleted()).toBe(true);
      });
    };
    await workOff(queue);
    expect(await orders()).toContain(10);
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    expect(await queue.failed.list()).toEqual([]);
  });

  test('work that rolls back after it leaves the job to be tried again, and to fail in the end', async () => {
    await queue.push(record, { order: 11 });
    let runs = 0;
    handle = async ({ job }) => {
      runs += 1;
      await app.transaction(async (trx) => {
        await trx('orders').insert({ id: 11 });
        await job.deleteIn(trx);
        throw new Error('the last statement failed');
      });
    };
    await workOff(queue);
    expect(runs).toBe(2);
    expect(await orders()).not.toContain(11);
    expect(await queue.failed.list()).toMatchObject([{ message: 'the last statement failed', attempts: 2 }]);
    await queue.failed.flush();
  });

  test('work of a worker that has lost the job is not committed', async () => {
    await queue.push(record, { order: 12 });
    let thrown: unknown;
    handle = async ({ job }) => {
      await app('jobs').update({ lease_token: 'of somebody else' });
      await app
        .transaction(async (trx) => {
          await trx('orders').insert({ id: 12 });
          await job.deleteIn(trx);
        })
        .catch((error: unknown) => {
          thrown = error;
        });
    };
    await workOff(queue, { once: true });
    expect(thrown).toMatchObject({ code: 'E_LEASE_LOST' });
    expect(await orders()).not.toContain(12);
    await queue.clear(undefined, { reserved: true });
  });

  test('what is no open transaction on that kind of database is refused, and nothing stored', async () => {
    const ended = await app.transaction();
    await ended.commit();
    const other = knex({
      client: settings.config.client === 'pg' ? 'mysql2' : 'pg',
      connection: { host: '127.0.0.1' },
    });
    const foreign = Object.assign(() => {}, {
      client: other.client,
      isTransaction: true,
      isCompleted: () => false,
    });
    for (const transaction of [ended, app, {}, foreign]) {
      await expect(queue.using(transaction).push(record, 1)).rejects.toMatchObject({ code: 'E_CONFIG' });
    }
    await app.transaction(async (trx) => {
      const elsewhere = queue.using(trx).push(record, 1, { connection: 'memory' });
      await expect(elsewhere).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    });
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    await other.destroy();
  });
});

test('a store without transactions says so to a handler, and its job is done as ever', async () => {
  const outcomes: unknown[] = [];
  const record = defineJob({
    name: 'record',
    handle: async ({ job }) => {
      await job.deleteIn({}).catch((error: unknown) => outcomes.push(error));
    },
  });
  const queue = createQueue({ connections: { default: memory() }, jobs: [record] });
  await queue.push(record);
  await workOff(queue);
  expect(outcomes).toMatchObject([{ code: 'E_UNSUPPORTED' }]);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  await queue.close();
});
