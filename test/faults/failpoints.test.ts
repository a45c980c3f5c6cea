import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { dieAt, type FailpointStore, failpoints, ownPrefix } from './failpoints/points.js';

// Before the first request and after the answer; failpoints.full.ts dies before each, on all stores.
const folder = mkdtempSync(join(tmpdir(), 'drover-failpoints-'));
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const stores: readonly FailpointStore[] = [
  { kind: 'redis', options: () => ({ url: server.url, prefix: `${ownPrefix()}:` }) },
  { kind: 'sqlite', options: () => ({ url: `sqlite:${join(folder, `${ownPrefix()}.sqlite`)}` }) },
];

describe.each(stores)('$kind', (store) => {
  const points = failpoints.filter(({ name }) => name !== 'migrate' || store.kind !== 'redis');
  test.concurrent.each(points)('a process dies at $name, before and after', async (point) => {
    const died = await Promise.all([dieAt(point, 1, store), dieAt(point, 'after', store)]);
    expect(died).toEqual([true, true]);
  });
});
