import knex, { type Knex } from 'knex';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mysqlJobStatements } from '../../drivers/database/dialects/mysql-job-statements.js';
import type { Connector, Lease } from '../../src/index.js';
import { populate } from '../support/populated-jobs.js';
import { type PlainClient, ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('mariadb');
const sql = mysqlJobStatements('`jobs`');
/** With one connection, so that the server's counters of the session are those of the driver's statements. */
let instance: Knex;
let connector: Connector;
/** The same, for the way of servers that cannot skip locked rows. */
let plainly: Connector;

/** 100,000 jobs that are not due, 50,000 of other queues, 2,000 that are wanted; no statistics were gathered. */
beforeAll(async () => {
  await sandbox.make();
  instance = knex({ client: 'mysql2', connection: sandbox.url, pool: { min: 0, max: 1 } });
  connector = sandbox.open({ knex: instance, autoMigrate: true });
  plainly = sandbox.open({ knex: instance }, { skipLocked: false });
  await connector.size('mail');
  await populate(sandbox, { due: 2_000, delayed: 100_000, others: 50_000 });
}, 60_000);

afterAll(async () => {
  await instance.destroy();
  await sandbox.clean();
});

/** How many rows and index entries the server read for `work`. */
async function readFor<T>(work: () => Promise<T>): Promise<{ reads: number; result: T }> {
  await instance.raw('FLUSH STATUS');
  const result = await work();
  const [rows] = await instance.raw(`SHOW SESSION STATUS LIKE 'Handler_read%'`);
  const reads = rows.reduce((sum: number, { Value }: { Value: string }) => sum + Number(Value), 0);
  return { reads, result };
}

const reserve = (from: Connector = connector) => from.reserve(['mail'], 10, 60_000);

async function leasesOf(count: number): Promise<Lease[]> {
  return (await connector.reserve(['mail'], count, 60_000)).map(({ lease }) => lease);
}

test.each([
  ['reserve', () => connector],
  ['reserve without SKIP LOCKED', () => plainly],
])('%s reads each of its 10 jobs a few times, and no other', async (_, from) => {
  const { reads, result } = await readFor(() => reserve(from()));
  expect(result).toHaveLength(10);
  expect(reads).toBeLessThanOrEqual(50);
});

test('a reserve of an idle queue reads nothing', async () => {
  const { reads, result } = await readFor(() => connector.reserve(['idle'], 10, 60_000));
  expect(result).toEqual([]);
  expect(reads).toBeLessThanOrEqual(5);
});

test.each([
  ['extend', (leases: Lease[]) => connector.extend(leases, 60_000)],
  ['release', (leases: Lease[]) => connector.release(leases.map((lease) => ({ lease, delayMs: 0 })))],
  ['unreserve', (leases: Lease[]) => connector.unreserve?.(leases)],
  ['delete', (leases: Lease[]) => connector.delete(leases)],
] as const)('%s finds its jobs by primary key', async (_, settle) => {
  const leases = await leasesOf(10);
  const { reads, result } = await readFor(async () => settle(leases));
  expect(result).toEqual(Array(10).fill(true));
  expect(reads).toBeLessThanOrEqual(40);
});

/** What a reserve of 10 jobs locks, in a transaction that stays open. */
async function lockTen(client: PlainClient, statement: string): Promise<unknown[]> {
  await client.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION');
  const filled = statement.replaceAll('queue = ?', `queue = 'mail'`).replace('LIMIT ?', 'LIMIT 10');
  return (await client.query(filled)).map(({ id }) => id);
}

/** Two transactions that have each locked what they would take. */
async function twoOpenReserves(): Promise<{ taken: unknown[][]; locked: number }> {
  const [one, two] = [await sandbox.plain(), await sandbox.plain()];
  const taken = [await lockTen(one, sql.lockDue), await lockTen(two, sql.lockDue)];
  const [row] = await one.query(
    'SELECT trx_rows_locked AS locked FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = CONNECTION_ID()',
  );
  for (const client of [one, two]) await client.query('ROLLBACK');
  return { taken, locked: Number(row?.locked) };
}

test('two open reserves get different jobs, and lock no more than these', async () => {
  const { taken, locked } = await twoOpenReserves();
  expect(taken.map((ids) => ids.length)).toEqual([10, 10]);
  expect(new Set(taken.flat()).size).toBe(20);
  // An entry of the index and a row for each.
  expect(locked).toBeLessThanOrEqual(21);
});

test('a reserve beside an open one takes the jobs right behind it', async () => {
  const other = await sandbox.plain();
  const next = sql.lockDue.replace('?', `'mail'`).replace('LIMIT ?', 'LIMIT 20');
  const places = (await other.query(next)).map(({ id }) => Number(id));
  const theirs = await lockTen(other, sql.lockSeen);
  const ours = (await reserve()).map(({ lease }) => Number(lease.handle));
  await other.query('ROLLBACK');
  expect(theirs.map(Number)).toEqual(places.slice(0, 10));
  expect(ours).toEqual(places.slice(10));
});

test('without the index these measures see the difference', async () => {
  await sandbox.sql('ALTER TABLE jobs DROP INDEX jobs_due');
  const { reads } = await readFor(() => reserve());
  const { locked, taken } = await twoOpenReserves();
  console.log(
    `without the index: ${reads} reads, ${locked} rows locked, ${taken[1]?.length} jobs for the second`,
  );
  expect(reads).toBeGreaterThan(10_000);
  expect(locked).toBeGreaterThan(1_000);
  expect(taken[1]).toEqual([]);
});
