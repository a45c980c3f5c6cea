import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../src/index.js';
import { type Population, populate } from '../support/populated-jobs.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

const rounds = 300;
const populations: readonly (readonly [string, Population])[] = [
  ['1,000', { due: 1_000, delayed: 0, others: 0 }],
  ['100,000', { due: 100_000, delayed: 0, others: 0 }],
  ['1,000,000', { due: 1_000_000, delayed: 0, others: 0 }],
  ['1,000 and 100,000 delayed', { due: 1_000, delayed: 100_000, others: 0 }],
];

/** A table of jobs with this many, on a store of its own. */
type Fill = (population: Population) => Promise<Connector>;

async function onServer(kind: (typeof serverKinds)[number]) {
  const sandbox = await new ServerSandbox(kind).make();
  const fill: Fill = async (population) => {
    const prefix = sandbox.newPrefix();
    const connector = sandbox.open({ prefix });
    await connector.migrate();
    await populate(sandbox, population, `${prefix}jobs`);
    return connector;
  };
  return { fill, clean: () => sandbox.clean() };
}

async function onFile() {
  const sandbox = new SqliteSandbox();
  const fill: Fill = async ({ due, delayed }) => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.migrate();
    const raw = new Database(file);
    raw.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${delayed + due})
      INSERT INTO jobs (job_id, queue, attempts, available_at, created_at, due_at, payload)
      SELECT 'job-' || i, 'mail', 0, CASE WHEN i <= ${delayed} THEN 4000000000000 + i ELSE i END, 0, 0, '{}' FROM n`);
    raw.close();
    return connector;
  };
  return { fill, clean: () => sandbox.clean() };
}

const stores = [
  ...serverKinds.map((kind) => [kind, () => onServer(kind)] as const),
  ['sqlite', onFile] as const,
];

/** Side by side: a reserve and the deletion of what it took, in each table in turn. */
describe.each(stores)('%s', (name, open) => {
  const cleaning: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(cleaning.map((clean) => clean())));

  test('what a reserve of one job costs', async () => {
    const { fill, clean } = await open();
    cleaning.push(clean);
    const tables: { of: string; connector: Connector; ms: number[] }[] = [];
    for (const [of, population] of populations)
      tables.push({ of, connector: await fill(population), ms: [] });
    for (let round = 0; round < rounds; round += 1) {
      for (const { connector, ms } of tables) {
        const fromMs = performance.now();
        const jobs = await connector.reserve(['mail'], 1, 60_000);
        ms.push(performance.now() - fromMs);
        expect(jobs).toHaveLength(1);
        await connector.delete(jobs.map(({ lease }) => lease));
      }
    }
    const p50 = tables.map(({ of, ms }) => [of, ms.sort((a, b) => a - b)[rounds / 2] ?? Number.NaN] as const);
    console.log(`${name}: ${p50.map(([of, ms]) => `${of}: ${ms.toFixed(2)} ms`).join('; ')}`);
    const [fewest = 0, , most = 0, delayed = 0] = p50.map(([, ms]) => ms);
    // Flat, with room for a cache that a million jobs do not fit in.
    expect(most).toBeLessThan(5 * fewest);
    expect(delayed).toBeLessThan(5 * fewest);
  });
});
