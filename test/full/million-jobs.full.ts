import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Population, populate } from '../support/populated-jobs.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const batch = 50;
const rounds = 200;

const populations: readonly (readonly [string, Population])[] = [
  ['20,000 waiting', { due: 20_000, delayed: 0, others: 0 }],
  ['20,000 waiting, 100,000 delayed', { due: 20_000, delayed: 100_000, others: 0 }],
  ['20,000 waiting, 200,000 in 50 other queues', { due: 20_000, delayed: 0, others: 200_000 }],
  ['1,000,000 waiting', { due: 1_000_000, delayed: 0, others: 0 }],
];

describe.each(serverKinds)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test.each(populations)('%s', async (name, population) => {
    const prefix = sandbox.newPrefix();
    const connector = sandbox.open({ prefix });
    await connector.migrate();
    await populate(sandbox, population, `${prefix}jobs`);
    const ids = new Set<string>();
    const startMs = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      const jobs = await connector.reserve(['mail'], batch, 60_000);
      for (const { id } of jobs) ids.add(id);
      await connector.delete(jobs.map(({ lease }) => lease));
    }
    const rate = (ids.size / (performance.now() - startMs)) * 1000;
    console.log(`${kind}, ${name}: ${Math.round(rate)} jobs/s in batches of ${batch}`);
    expect(ids.size).toBe(rounds * batch);
  });
});
