import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { dieAt, type FailpointStore, failpoints, ownPrefix } from './failpoints/points.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-failpoints-'));
const sandboxes = [new ServerSandbox('mariadb'), new ServerSandbox('postgres')] as const;
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
  await Promise.all(sandboxes.map((sandbox) => sandbox.make()));
});
afterAll(async () => {
  await server?.stop();
  await Promise.all(sandboxes.map((sandbox) => sandbox.clean()));
  rmSync(folder, { recursive: true, force: true });
});

const stores: readonly FailpointStore[] = [
  { kind: 'redis', options: () => ({ url: server.url, prefix: `${ownPrefix()}:` }) },
  { kind: 'sqlite', options: () => ({ url: `sqlite:${join(folder, `${ownPrefix()}.sqlite`)}` }) },
  ...sandboxes.map(({ kind, url }) => ({ kind, options: () => ({ url, prefix: ownPrefix() }) })),
];

describe.each(stores)('$kind', (store) => {
  const points = failpoints.filter(({ name }) => name !== 'migrate' || store.kind !== 'redis');
  test.concurrent.each(points)(
    'a process dies at $name, before each of its requests and after',
    async (point) => {
      let request = 1;
      if (point.verb === 'handler') expect(await dieAt(point, request, store)).toBe(true);
      else while (await dieAt(point, request, store)) request += 1;
      expect(request, 'requests of the verb').toBeGreaterThanOrEqual(point.verb === 'handler' ? 1 : 2);
      expect(await dieAt(point, 'after', store)).toBe(true);
      console.log(`${store.kind}, ${point.name}: ${request - 1} requests`);
    },
  );
});
