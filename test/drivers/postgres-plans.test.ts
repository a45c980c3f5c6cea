import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { planByIndex } from '../../drivers/database/dialects/postgres-connection.js';
import { postgresJobStatements } from '../../drivers/database/dialects/postgres-job-statements.js';
import { type TakenRow, takenJobs } from '../../drivers/database/dialects/postgres-taken-jobs.js';
import { populate } from '../support/populated-jobs.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
const sql = postgresJobStatements('"jobs"');

/** 100,000 jobs that are not due, 50,000 of other queues, 2,000 that are wanted. */
beforeAll(async () => {
  await sandbox.make();
  await sandbox.open().migrate();
  // Statistics come when the test says so.
  await sandbox.sql('ALTER TABLE jobs SET (autovacuum_enabled = false)');
  await populate(sandbox, { due: 2_000, delayed: 100_000, others: 50_000 });
}, 60_000);

afterAll(() => sandbox.clean());

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

/** Runs a statement and takes it back; answers how it was run and how many rows of the table were looked at. */
async function planOf(
  text: string,
  types: string,
  values: string,
  mode: string,
): Promise<{ scans: string[]; examined: number }> {
  const client = await sandbox.plain();
  await client.query(`SET plan_cache_mode = ${mode}; BEGIN`);
  await client.query(`PREPARE it (${types}) AS ${text}`);
  const [row] = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE it (${values})`);
  await client.query('ROLLBACK');
  const [{ Plan }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'];
  const scans = [...nodesOf(Plan)].filter((node) => /Scan/.test(node['Node Type']) && onJobs(node));
  const examined = scans.reduce((sum, node) => {
    const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    return sum + (node['Actual Rows'] + removed) * node['Actual Loops'];
  }, 0);
  return { scans: scans.map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`.trim()), examined };
}

function onJobs(node: PlanNode): boolean {
  return node['Relation Name'] === 'jobs' || (node['Index Name'] ?? '').startsWith('jobs');
}

const reserve = (mode: string) =>
  planOf(sql.reserve, 'text[], int, bigint, text', `'{idle,mail}', 10, 60000, 'stem'`, mode);

const settling = [
  ['extend', sql.extend, 'bigint[], text[], bigint', '60000'],
  ['delete', sql.delete, 'bigint[], text[]', ''],
  ['release', sql.release, 'bigint[], text[], bigint[]', `'{${Array(10).fill(0).join()}}'`],
  ['unreserve', sql.unreserve, 'bigint[], text[]', ''],
] as const;

/** Prepared statements get a plan for these values at first, and one for any values later on. */
const modes = ['force_custom_plan', 'force_generic_plan'] as const;

function holdPlans(): void {
  test.each(modes)('reserve walks the index, 10 jobs far (%s)', async (mode) => {
    const { scans, examined } = await reserve(mode);
    expect(scans).toContain('Index Scan jobs_due');
    expect(scans).not.toContain('Seq Scan');
    // Each job in the index, and by its id.
    expect(examined).toBeLessThanOrEqual(40);
  });

  test.each(modes)('deleteAndReserve does so as well, and deletes by id (%s)', async (mode) => {
    const ids = Array.from({ length: 10 }, (_, index) => index * 1000 + 1);
    const leases = `'{${ids}}', '{${ids.map((id) => `t:${id}`)}}'`;
    const { scans, examined } = await planOf(
      sql.deleteAndReserve,
      'text[], int, bigint, text, bigint[], text[]',
      `'{idle,mail}', 10, 60000, 'stem', ${leases}`,
      mode,
    );
    expect(scans).toContain('Index Scan jobs_due');
    expect(scans).not.toContain('Seq Scan');
    expect(examined).toBeLessThanOrEqual(60);
  });

  describe.each(settling)('%s', (_, text, types, more) => {
    test.each(modes)('finds its jobs by id (%s)', async (mode) => {
      const ids = Array.from({ length: 10 }, (_, index) => index * 1000 + 1);
      const values = [`'{${ids}}'`, `'{${ids.map((id) => `t:${id}`)}}'`, more].filter((one) => one !== '');
      const { scans, examined } = await planOf(text, types, values.join(', '), mode);
      expect(scans).not.toContain('Seq Scan');
      expect(examined).toBeLessThanOrEqual(20);
    });
  });
}

describe('without statistics', holdPlans);

describe('with statistics', () => {
  beforeAll(async () => {
    await sandbox.sql('ANALYZE jobs');
  });
  holdPlans();
});

test('two open reserves get different jobs, and lock no more than these', async () => {
  const [one, two] = [await sandbox.plain(), await sandbox.plain()];
  const take = async (client: typeof one): Promise<unknown[]> => {
    await client.query('BEGIN');
    await client.query(`PREPARE it (text[], int, bigint, text) AS ${sql.reserve}`);
    const rows = await client.query(`EXECUTE it ('{mail,other-1}', 10, 60000, 'stem')`);
    const arrays = rows.map((row) => Object.values(row)) as unknown as TakenRow[];
    return takenJobs(arrays, ['mail', 'other-1'], 'stem').map(({ lease }) => lease.handle);
  };
  const taken = [await take(one), await take(two)];
  expect(taken.map((ids) => ids.length)).toEqual([10, 10]);
  expect(new Set(taken.flat()).size).toBe(20);
  const [row] = await sandbox.sql(
    `WITH free AS (SELECT id FROM jobs WHERE queue IN ('mail', 'other-1') AND available_at <= 100000 FOR UPDATE SKIP LOCKED)
     SELECT count(*) AS free FROM free`,
  );
  expect(Number(row?.free)).toBe(2_000 + 1_000 - 20);
  for (const client of [one, two]) await client.query('ROLLBACK');
});

test.each([
  ['reserve', 'text[], int, bigint, text', `'{idle,mail}', 10, 60000, 'stem'`],
  [
    'deleteAndReserve',
    'text[], int, bigint, text, bigint[], text[]',
    `'{idle,mail}', 10, 60000, 'stem', '{1}', '{t}'`,
  ],
] as const)('%s goes by the index of a table that has just been filled', async (verb, types, values) => {
  const client = await sandbox.plain();
  await client.query('BEGIN; CREATE TABLE just_filled (LIKE jobs INCLUDING ALL)');
  await client.query(
    `INSERT INTO just_filled SELECT * FROM jobs WHERE queue = 'mail' AND available_at <= 100000`,
  );
  await client.query(`SELECT ${planByIndex}`);
  await client.query(`PREPARE it (${types}) AS ${postgresJobStatements('"just_filled"')[verb]}`);
  const [row] = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE it (${values})`);
  await client.query('ROLLBACK');
  const [{ Plan }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'];
  const scans = [...nodesOf(Plan)].filter(
    (node) =>
      /Scan/.test(node['Node Type']) &&
      (node['Relation Name'] === 'just_filled' || /^just_filled/.test(node['Index Name'] ?? '')),
  );
  const looked = scans.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0);
  expect(scans.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  expect(looked).toBeLessThanOrEqual(40);
});

test('without the index these measures see the difference', async () => {
  await sandbox.sql('DROP INDEX jobs_due');
  const { examined } = await reserve('force_custom_plan');
  console.log(`without the index: ${examined} rows examined`);
  expect(examined).toBeGreaterThan(10_000);
});

test('a session of our own plans a statement once, whatever lists it is given', async () => {
  const client = await sandbox.plain();
  await client.query(`SELECT ${planByIndex}`);
  await client.query(`BEGIN; PREPARE one (bigint[], text[]) AS ${sql.delete}`);
  for (let count = 0; count < 10; count += 1) await client.query(`EXECUTE one ('{${count}}', '{t}')`);
  const plans = await client.query(
    `SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = 'one'`,
  );
  await client.query('ROLLBACK');
  expect(plans.map((row) => Object.values(row).map(Number))).toEqual([[0, 10]]);
});

test('a connection of the driver is set up with one statement, unless it shall prepare nothing', async () => {
  const asked = vi.spyOn(pg.Client.prototype, 'query');
  const settingsBy = async (options: { readonly prepare?: boolean }): Promise<unknown> => {
    asked.mockClear();
    const opened: pg.Client[] = [];
    const afterCreate = (connection: pg.Client, done: () => void) => {
      opened.push(connection);
      done();
    };
    const knex = { client: 'pg', connection: sandbox.url, pool: { max: 1, afterCreate } } as const;
    const connector = sandbox.open({ knex, autoMigrate: false, ...options });
    await connector.size('mail');
    const [first = []] = asked.mock.calls;
    const [connection] = opened;
    if (connection === undefined) throw new Error('no connection was opened');
    const { rows } = await connection.query(
      `SELECT current_setting('plan_cache_mode') AS cache, current_setting('enable_seqscan') AS seqscan`,
    );
    await connector.close();
    return { first: (first[0] as { text?: string }).text?.includes('set_config'), ...rows[0] };
  };
  expect(await settingsBy({})).toEqual({ first: true, cache: 'force_generic_plan', seqscan: 'off' });
  expect(await settingsBy({ prepare: false })).toEqual({ first: false, cache: 'auto', seqscan: 'on' });
  asked.mockRestore();
});
