import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '../support/postgres-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox } from '../support/server-sandbox.js';

// A server of its own: its transactions are counted. Each that changes something or sends a notification takes a number.

let server: DatabaseServer;
let sandbox: ServerSandbox;
beforeAll(async () => {
  server = await startPostgres();
  sandbox = await new ServerSandbox('postgres', server.url).make();
  await sandbox.open().migrate();
  await sandbox.sql('ALTER SYSTEM SET autovacuum = off');
  await sandbox.sql('SELECT pg_reload_conf()');
});
afterAll(async () => {
  await sandbox.clean();
  await server.stop();
});

const pushes = 300;

async function transactionsOf(act: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const [row] = await sandbox.sql('SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next');
    return Number(row?.next);
  };
  const before = await count();
  await act();
  return (await count()) - before;
}

/** Apart enough that none travels with the one before. */
async function pushAll(prefix: string): Promise<void> {
  const connector = sandbox.open();
  for (let count = 0; count < pushes; count += 1) {
    await connector.push('mail', [{ id: `${prefix}-${count}`, body: '{}' }]);
    await new Promise((resolve) => setTimeout(resolve, 6));
  }
  await connector.close();
}

test('nothing is sent while nobody waits', async () => {
  const transactions = await transactionsOf(() => pushAll('alone'));
  expect(transactions).toBeGreaterThanOrEqual(pushes);
  expect(transactions).toBeLessThan(pushes + 20);
});

test('this count sees what is sent where somebody waits', async () => {
  const waiter = sandbox.open();
  const waiting = waiter.waitForJob?.(['mail', 'other'], 600_000, new AbortController().signal);
  await waiting; // there are jobs: its announcement is withdrawn
  await waiter.clear('mail');
  const stop = new AbortController();
  const listening = (async () => {
    while (!stop.signal.aborted) {
      await waiter.waitForJob?.(['mail'], 600_000, stop.signal);
      await waiter.clear('mail');
    }
  })();
  const transactions = await transactionsOf(() => pushAll('beside'));
  stop.abort();
  await listening;
  // The pushes, the clearing, and a notification for most.
  expect(transactions).toBeGreaterThan(pushes * 1.5);
});
