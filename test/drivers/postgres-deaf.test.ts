import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { containing, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
beforeAll(async () => {
  await sandbox.make();
  await sandbox.open().migrate();
});
afterAll(() => sandbox.clean());

let proxy: FaultProxy;
beforeEach(async () => {
  proxy = await startFaultProxy(Number(new URL(sandbox.url).port));
});
afterEach(() => proxy.close());

const open = (options = {}) => sandbox.open({ url: sandbox.urlAt(proxy.port), ...options });

/** Longer than a test may take. */
const longMs = 600_000;
const soon = { commandTimeout: '1500ms' };

/** What the connection that listens asks, in its order; nobody tells of it that nothing will come. */
const asked = ['SELECT pg_backend_pid() AS pid', 'LISTEN drover_', 'pg_advisory_lock_shared'];

test.each(asked)(
  'a wait ends with an error where %s is never answered, and the next one waits',
  async (text) => {
    const connector = open(soon);
    await connector.size('mail');
    // Announcing is tried a second time, on another connection.
    const faults = [0, 1].map(() => proxy.plan('half-open', containing(text)));
    const { signal } = new AbortController();
    await expect(connector.waitForJob?.(['mail'], longMs, signal)).rejects.toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
    });
    await faults[0]?.happened;
    if (text !== 'pg_advisory_lock_shared') {
      await expect(connector.waitForJob?.(['mail'], longMs, signal)).rejects.toThrow(
        /no answer within 1500 ms/,
      );
    }
    await faults[1]?.happened;
    const waiting = connector.waitForJob?.(['mail'], longMs, signal);
    await sandbox.open().push('mail', [{ id: text, body: '{}' }]);
    await waiting;
    expect(await connector.reserve(['mail'], 1, 1000)).toHaveLength(1);
  },
);

test.each(asked)(
  'a wait whose connection is lost as it asks %s ends with an error that is tried again',
  async (text) => {
    const connector = open();
    await connector.size('mail');
    // Announcing is tried a second time, on another connection.
    const faults = [0, 1].map(() => proxy.plan('cut-before', containing(text)));
    const waiting = connector.waitForJob?.(['lost'], longMs, new AbortController().signal);
    await expect(waiting).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
    await faults[0]?.happened;
  },
);

test.each(asked)('who is to stop does not wait for the answer to %s', async (text) => {
  const connector = open({ commandTimeout: '600s' });
  await connector.size('mail');
  const fault = proxy.plan('half-open', containing(text));
  const stopping = new AbortController();
  const waiting = connector.waitForJob?.(['mail'], longMs, stopping.signal);
  await fault.happened;
  stopping.abort();
  expect(await waiting).toBeUndefined();
  proxy.cut();
});

test('closing does not wait for ever for the goodbye of a connection that listens', async () => {
  const connector = open(soon);
  const waiting = connector.waitForJob?.(['mail'], longMs, new AbortController().signal);
  const listening = async () =>
    await sandbox.sql(`SELECT 1 FROM pg_locks JOIN pg_database ON oid = database
      WHERE datname = current_database() AND locktype = 'advisory' AND mode = 'ShareLock'`);
  while ((await listening()).length === 0) await new Promise(setImmediate);
  proxy.blackHole();
  await connector.close();
  await waiting;
});
