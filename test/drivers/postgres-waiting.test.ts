import knex from 'knex';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
beforeAll(async () => {
  await sandbox.make();
  await sandbox.open().migrate();
});
afterAll(() => sandbox.clean());

/** Longer than a test may take: such a wait must be woken. */
const longMs = 600_000;
const job = (id: string) => ({ id, body: '{}' });
const { signal } = new AbortController();

/** The connections that listen, by process id. */
async function listeners(): Promise<unknown[]> {
  const rows = await sandbox.sql(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  return rows.map(({ pid }) => pid);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const isListening = async (): Promise<boolean> => (await listeners()).length > 0;

test('many waits share one connection, which close ends', async () => {
  const connector = sandbox.open();
  const waits = Array.from({ length: 20 }, (_, index) =>
    connector.waitForJob?.([`queue-${index}`], longMs, signal),
  );
  await until(isListening);
  expect(await listeners()).toHaveLength(1);
  await connector.close();
  await Promise.all(waits);
  await until(async () => !(await isListening()));
});

test('a wait whose connection is cut off listens on another', async () => {
  const connector = sandbox.open();
  const waiting = connector.waitForJob?.(['cut'], longMs, signal);
  await until(isListening);
  const [first] = await listeners();
  await sandbox.sql(`SELECT pg_terminate_backend(${first})`);
  await until(async () => (await listeners()).some((pid) => pid !== first));
  await sandbox.open().push('cut', [job('a')]);
  await waiting;
  await connector.close();
});

test('a push in a transaction wakes when that commits', async () => {
  const connector = sandbox.open();
  const app = knex({ client: 'pg', connection: sandbox.url });
  let isOver = false;
  const waiting = connector.waitForJob?.(['trx'], longMs, signal).then(() => {
    isOver = true;
  });
  await until(isListening);
  await app.transaction(async (trx) => {
    await connector.pushIn(trx, 'trx', [job('b')]);
    await trx.raw('SELECT pg_sleep(0.2)');
    expect(isOver).toBe(false);
  });
  await waiting;
  await app.destroy();
  await connector.close();
});

test('without notify nobody waits, tells or listens', async () => {
  const connector = sandbox.open({ notify: false });
  expect(connector.waitForJob).toBeUndefined();
  const listener = sandbox.open();
  let isOver = false;
  const stop = new AbortController();
  const waiting = listener.waitForJob?.(['silent'], longMs, stop.signal).then(() => {
    isOver = true;
  });
  await until(isListening);
  await connector.push('silent', [job('c')]);
  // Notifications come in the order of the commits: one of the push before would have been here by then.
  const loud = listener.waitForJob?.(['loud'], longMs, signal);
  await sandbox.open().push('loud', [job('d')]);
  await loud;
  await listener.size('silent');
  expect(isOver).toBe(false);
  stop.abort();
  await waiting;
});
