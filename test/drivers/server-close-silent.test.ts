import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy } from '../support/fault-proxy.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const script = fileURLToPath(new URL('./fixtures/close-child.mjs', import.meta.url));
const refused = fileURLToPath(new URL('./fixtures/refused-child.mjs', import.meta.url));

/** A process whose server falls silent, with the connections that it has and for new ones, ends once its queue is closed. */
async function expectToEnd(
  target: number,
  { store, connections }: { readonly store: string; readonly connections: number },
  optionsAt: (port: number) => object,
): Promise<void> {
  const proxy = await startFaultProxy(target);
  const options = { commandTimeout: '500ms', ...optionsAt(proxy.port) };
  const child = fork(script, [store, JSON.stringify(options), String(connections)]);
  try {
    const ended = once(child, 'exit');
    await once(child, 'message');
    proxy.blackHole();
    child.send('close');
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    await proxy.close();
  }
}

/** So does one whose server refused its connection, and left that open. */
async function expectRefusedToEnd(
  target: number,
  store: string,
  optionsAt: (port: number) => object,
): Promise<void> {
  const proxy = await startFaultProxy(target);
  const { happened } = proxy.plan('last-reply', () => true);
  const child = fork(refused, [store, JSON.stringify({ commandTimeout: '500ms', ...optionsAt(proxy.port) })]);
  try {
    expect(await once(child, 'exit')).toEqual([0, null]);
    await happened;
  } finally {
    child.kill('SIGKILL');
    await proxy.close();
  }
}

describe.each(serverKinds)('a silent %s keeps no process alive whose queue is closed', (store) => {
  const sandbox = new ServerSandbox(store);
  const client = store === 'postgres' ? 'pg' : 'mysql2';
  beforeAll(async () => {
    await sandbox.make();
    await sandbox.open().migrate();
  });
  afterAll(() => sandbox.clean());

  // With one connection there are new ones to be made; with five some are never asked for anything again.
  test.concurrent.each([
    { connections: 1, by: 'a URL' },
    { connections: 5, by: 'a URL' },
    { connections: 1, by: 'a configuration of knex' },
    { connections: 5, by: 'a configuration of knex' },
  ])('by $by, with $connections connections', async ({ connections, by }) => {
    const { port } = new URL(sandbox.url);
    await expectToEnd(Number(port), { store, connections }, (proxied) => {
      const url = sandbox.urlAt(proxied);
      return by === 'a URL' ? { url } : { knex: { client, connection: url } };
    });
  });

  test.concurrent.each(['a URL', 'a configuration of knex'])(
    'by %s, where it refused the connection and fell silent then',
    async (by) => {
      const { port } = new URL(sandbox.url);
      await expectRefusedToEnd(Number(port), store, (proxied) => {
        const url = new URL(sandbox.urlAt(proxied));
        url.pathname = '/not_there';
        return by === 'a URL' ? { url: url.href } : { knex: { client, connection: url.href } };
      });
    },
  );
});

describe('a silent Redis keeps no process alive whose queue is closed', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  test.concurrent('with a connection', () =>
    expectToEnd(server.port, { store: 'redis', connections: 1 }, (port) => ({
      url: `redis://127.0.0.1:${port}`,
    })));

  test.concurrent('where it refused the connection and fell silent then', () =>
    expectRefusedToEnd(server.port, 'redis', (port) => ({ url: `redis://nobody:wrong@127.0.0.1:${port}` })));
});
