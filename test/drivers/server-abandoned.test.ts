import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containing, startFaultProxy } from '../support/fault-proxy.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

describe.each(serverKinds)('%s', (kind) => {
  const [begin, commit] = kind === 'mariadb' ? ['START TRANSACTION', 'COMMIT'] : ['BEGIN', 'COMMIT\0'];
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
    await sandbox.open().migrate();
    if (kind === 'mariadb') return;
    // So that a reserve is a transaction of several statements there, too.
    const [row] = await sandbox.sql('SELECT current_database() AS name');
    await sandbox.sql(`ALTER DATABASE ${row?.name} SET default_transaction_isolation = 'repeatable read'`);
  });
  afterAll(() => sandbox.clean());

  test('a transaction whose client was cut off without a word keeps its jobs from nobody for long', async () => {
    const proxy = await startFaultProxy(Number(new URL(sandbox.url).port));
    const url = sandbox.urlAt(proxy.port);
    const cutOff = sandbox.open({ url, commandTimeout: '500ms' });
    await sandbox.open().push('mail', [{ id: 'a', body: '{}' }]);
    await cutOff.size('mail');
    const fault = proxy.plan('swallow', containing(commit));
    await expect(cutOff.reserve(['mail'], 1, 60_000)).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    await fault.happened;
    const others = sandbox.open();
    expect(await others.reserve(['mail'], 1, 60_000)).toEqual([]);
    await expect
      .poll(async () => (await others.reserve(['mail'], 1, 60_000)).map(({ id }) => id))
      .toEqual(['a']);
    await proxy.close();
  });

  test('who was blocked in a transaction for too long is told so in a way that is tried again', async () => {
    const proxy = await startFaultProxy(Number(new URL(sandbox.url).port));
    const url = sandbox.urlAt(proxy.port);
    await sandbox.open().push('late', [{ id: 'b', body: '{}' }]);
    const blocked = sandbox.open({ url, commandTimeout: '500ms' });
    await blocked.size('late');
    const begun = proxy.plan('held-reply', containing(begin));
    const reserving = blocked.reserve(['late'], 1, 60_000);
    await begun.happened;
    // A handler that computes: the server ends the transaction meanwhile, and there is time left to hear of it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1900);
    await begun.deliver();
    await expect(reserving).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
    expect(await blocked.reserve(['late'], 1, 60_000)).toHaveLength(1);
    await proxy.close();
  });
});
