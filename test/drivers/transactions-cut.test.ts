import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import knex, { type Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { containing, type FaultKind, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const script = fileURLToPath(new URL('./fixtures/commit-child.mjs', import.meta.url));

/** What may become of a COMMIT, and whether the server gets to carry it out. */
const fates: readonly (readonly [FaultKind, boolean])[] = [
  ['lose-reply', true],
  ['half-open', true],
  ['cut-before', false],
];

describe.each(serverKinds)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  const client = kind === 'postgres' ? 'pg' : 'mysql2';
  const record = defineJob({ name: 'record', async handle() {} });
  let proxy: FaultProxy;
  let app: Knex;

  beforeAll(async () => {
    await sandbox.make();
    await sandbox.open().migrate();
    await sandbox.sql('CREATE TABLE orders (id INTEGER PRIMARY KEY)');
    const { port } = new URL(sandbox.url);
    proxy = await startFaultProxy(Number(port));
    const silent = () => {};
    const log = { warn: silent, error: silent, debug: silent, deprecate: silent };
    app = knex({ client, connection: throughProxy(), pool: { min: 0, max: 1 }, log });
  });
  afterAll(async () => {
    proxy.cut();
    await app.destroy();
    await proxy.close();
    await sandbox.clean();
  });

  const throughProxy = (): string => sandbox.urlAt(proxy.port);
  const isThere = async (table: string, column: string, value: string): Promise<boolean> =>
    (await sandbox.sql(`SELECT 1 AS found FROM ${table} WHERE ${column} = '${value}'`)).length === 1;

  /** Resolves once no session of the database is inside a transaction: the server knows that its client is gone. */
  async function untilServerIsDone(): Promise<void> {
    const open =
      kind === 'postgres'
        ? `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`
        : `SELECT 1 FROM information_schema.INNODB_TRX AS trx JOIN information_schema.PROCESSLIST AS session
           ON session.ID = trx.trx_mysql_thread_id WHERE session.DB = DATABASE()`;
    while ((await sandbox.sql(open)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Pushed again with the same id it is stored one time, whatever became of the first. */
  async function pushAgain(id: string): Promise<void> {
    const queue = createQueue({ connections: { default: database(sandbox.url) }, jobs: [record] });
    await queue.push(record, undefined, { id });
    await queue.push(record, undefined, { id });
    expect(await sandbox.sql(`SELECT job_id FROM jobs WHERE job_id = '${id}'`)).toHaveLength(1);
    await queue.close();
  }

  test.each(fates)(
    'a COMMIT met by %s: the job is there if and only if the rest is',
    async (fate, isDone) => {
      const queue = createQueue({ connections: { default: database({ knex: app }) }, jobs: [record] });
      const [order, id] = [String(fates.findIndex(([one]) => one === fate)), `job-${fate}`];
      const fault = proxy.plan(fate, containing('COMMIT;'));
      const committing = app.transaction(async (trx) => {
        await trx('orders').insert({ id: Number(order) });
        await queue.using(trx).push(record, undefined, { id });
      });
      const outcome = committing.then(
        () => 'committed',
        () => 'failed',
      );
      await fault.happened;
      await untilServerIsDone();
      expect(await isThere('orders', 'id', order)).toBe(isDone);
      expect(await isThere('jobs', 'job_id', id)).toBe(isDone);
      proxy.cut(); // for a client that is told nothing
      expect(await outcome).toBe('failed');
      await pushAgain(id);
      await queue.close();
    },
  );

  test.each(['lose-reply', 'cut-before'] as const)('a client killed at its COMMIT, %s', async (fate) => {
    const [order, id] = [fate === 'lose-reply' ? '10' : '11', `killed-${fate}`];
    // The client hears nothing: it is killed while it waits for the reply.
    const fault = proxy.plan(fate === 'lose-reply' ? 'half-open' : 'swallow', containing('COMMIT;'));
    const child = spawn(process.execPath, [script, client, throughProxy(), order, id], { stdio: 'inherit' });
    const ended = once(child, 'exit');
    await fault.happened;
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    proxy.cut();
    await untilServerIsDone();
    const wasCommitted = await isThere('orders', 'id', order);
    expect(wasCommitted).toBe(fate === 'lose-reply');
    expect(await isThere('jobs', 'job_id', id)).toBe(wasCommitted);
    await pushAgain(id);
  });
});
