import { afterAll, beforeAll, describe, test } from 'vitest';
import { redisHarness } from '../support/redis-harness.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { serverHarness } from '../support/server-harness.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { sqliteHarness } from '../support/sqlite-harness.js';
import { inTier } from '../support/tier.js';
import { holdToModel } from './model-run.js';

/** The numbers of rows of calls, each on an empty store. */
const runs = inTier([25], [500]).at(-1) ?? 0;

test('SQLite keeps to the model of a queue, whatever is called', async () => {
  await holdToModel(sqliteHarness, { runs, isOrdered: true });
});

describe('Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  test('keeps to the model of a queue, whatever is called', async () => {
    // What has lapsed or was put off comes in when somebody looks, behind what is there.
    await holdToModel(
      redisHarness(() => server),
      { runs, isOrdered: false },
    );
  });
});

describe.each(inTier([], serverKinds))('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('keeps to the model of a queue, whatever is called', async () => {
    await holdToModel(serverHarness(sandbox, {}), { runs: runs / 5, isOrdered: true });
  });
});
