import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueueError } from '../../src/index.js';
import { startDurable } from '../support/durable-server.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const job = (id: string) => ({ id, body: '{}' });
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ resolvedWith: value }),
    (error: unknown) => error,
  );

describe.each(serverKinds)('%s', (kind) => {
  let server: DatabaseServer;
  let sandbox: ServerSandbox;

  beforeAll(async () => {
    server = await startDurable(kind);
    sandbox = new ServerSandbox(kind, server.url);
    await sandbox.make();
  });
  afterAll(async () => {
    await sandbox.clean();
    await server.stop();
  });

  test('a killed server loses no accepted job, and the connection goes on after it', async () => {
    const connector = sandbox.open();
    const accepted: string[] = [];
    const open: string[] = [];
    let isUp = true;
    const push = async (id: string): Promise<void> => {
      const outcome = await errorOf(connector.push('mail', [job(id)]));
      if (!(outcome instanceof Error)) accepted.push(id);
      else {
        expect(outcome).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
        if ('ambiguous' in outcome && outcome.ambiguous) open.push(id);
      }
    };
    const pushing = Array.from({ length: 3 }, async (_, producer) => {
      for (let count = 0; isUp; count += 1) await push(`${producer}-${count}`);
    });
    while (accepted.length < 200) await new Promise((resolve) => setTimeout(resolve, 10));
    await server.kill();
    isUp = false;
    await Promise.all(pushing);
    // Connections that the pool does not know to be dead yet leave it open; after them nothing is sent.
    for (let isOpen = true; isOpen; ) {
      const error = (await errorOf(connector.push('mail', [job('while-down')]))) as QueueError;
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
      isOpen = error.ambiguous;
    }
    await server.start();
    const stored = (await connector.reserve(['mail'], 100_000, 60_000)).map(({ id }) => id);
    const more = (await connector.reserve(['mail'], 100_000, 60_000)).map(({ id }) => id);
    const all = new Set([...stored, ...more]);
    expect(accepted.filter((id) => !all.has(id))).toEqual([]);
    expect([...all].filter((id) => !accepted.includes(id) && !open.includes(id))).toEqual([]);
  });

  test('connections that were being made in a black hole hold nothing up after it', async () => {
    const proxy = await startFaultProxy(Number(new URL(server.url).port));
    const quiet = kind === 'postgres' ? { notify: false } : {};
    const url = sandbox.urlAt(proxy.port);
    const connector = sandbox.open({ url, prefix: 'hole_', commandTimeout: '500ms', ...quiet });
    await connector.push('mail', [job('a')]);
    proxy.blackHole();
    // Twice as many as the pool has: the first cut off the connections that were there, the others wait for new ones.
    for (const round of [1, 2]) {
      const pushes = ['b', 'c', 'd', 'e', 'f'].map((id) => connector.push('mail', [job(`${id}${round}`)]));
      for (const error of await Promise.all(pushes.map(errorOf))) {
        expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
      }
    }
    proxy.heal();
    const healedAt = performance.now();
    let outcome: unknown;
    do outcome = await errorOf(connector.push('mail', [job('z')]));
    while (outcome instanceof Error && performance.now() - healedAt < 8000);
    await connector.close();
    await proxy.close();
    expect(outcome).toEqual({ resolvedWith: ['stored'] });
  });

  test('a server that hangs is given up at the deadline, and taken up again', async () => {
    // Telling others of a push takes a connection of its own, which would be the one that hangs.
    const quiet = kind === 'postgres' ? { notify: false } : {};
    const connector = sandbox.open({ prefix: 'hung_', commandTimeout: '500ms', ...quiet });
    await connector.push('mail', [job('a')]);
    await server.freeze();
    expect(await errorOf(connector.push('mail', [job('b')]))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: true,
      ids: ['b'],
    });
    // The pool has a new connection to make, which hangs as well.
    expect(await errorOf(connector.push('mail', [job('c')]))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: false,
    });
    server.thaw();
    for (;;) {
      const outcome = await errorOf(connector.push('mail', [job('d')]));
      if (!(outcome instanceof Error)) break;
      expect(outcome).toMatchObject({ transient: true });
    }
  });
});
