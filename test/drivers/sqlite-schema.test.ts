import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import knex from 'knex';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultTables, historyTable, migrations } from '../../migrations/index.js';
import { SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
afterAll(() => sandbox.clean());

const job = { id: 'a', body: '{}' };
const everyStep = migrations.map(({ name }) => name);

/** Runs SQL behind the connectors' backs. */
function run(file: string, sql: string): void {
  const raw = new Database(file);
  raw.exec(sql);
  raw.close();
}

function tablesOf(file: string): string[] {
  const raw = new Database(file);
  const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`;
  const names = raw.prepare(sql).pluck().all() as string[];
  raw.close();
  return names;
}

describe('migrate', () => {
  test('answers what it did, and then nothing', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open({ url: `sqlite:${file}`, autoMigrate: false });
    expect(await connector.migrate()).toEqual(everyStep);
    expect(await connector.migrate()).toEqual([]);
    expect(await sandbox.open(file).migrate()).toEqual([]);
    expect(await connector.push('mail', [job])).toEqual(['stored']);
  });

  test('is done by the first verb unless autoMigrate is off', async () => {
    const connector = sandbox.open({ url: `sqlite:${sandbox.newFile()}`, autoMigrate: false });
    const error = await connector.push('mail', [job]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'E_STORE_SCHEMA',
      transient: false,
      message: expect.stringContaining('no such table: jobs'),
      fix: expect.stringContaining('drover queue:migrate'),
    });
    await connector.migrate();
    expect(await connector.push('mail', [job])).toEqual(['stored']);
  });

  test('makes only the tables that connections do not share', async () => {
    const file = sandbox.newFile();
    const url = `sqlite:${file}`;
    await sandbox.open({ url, table: 'a_jobs' }).push('mail', [job]);
    const second = sandbox.open({ url, table: 'B_Jobs' });
    expect(await second.migrate()).toEqual(['0001_jobs', '0007_job_exceptions']);
    expect(await sandbox.open({ url, table: 'b_jobs' }).migrate()).toEqual([]);
    expect(await second.size('mail')).toMatchObject({ ready: 0 });
    expect(tablesOf(file)).toEqual([
      'B_Jobs',
      'a_jobs',
      historyTable,
      'failed_jobs',
      'queue_history',
      'queue_signals',
      'queue_statistics',
      'queue_workers',
    ]);
  });

  test('does all of it or nothing', async () => {
    const file = sandbox.newFile();
    run(file, 'CREATE TABLE queue_signals (id INTEGER)');
    const connector = sandbox.open(file);
    const error = await connector.push('mail', [job]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'E_STORE_SCHEMA',
      message: expect.stringContaining('queue_signals'),
      fix: expect.stringContaining('signalsTable'),
    });
    expect(tablesOf(file)).toEqual(['queue_signals']);
  });
});

describe('the row ids of a new file', () => {
  test('are counted in no table: a push writes the page of its row and one of each index', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.push('mail', [job]);
    const sizeOfLog = () => statSync(`${file}-wal`).size;
    const before = sizeOfLog();
    await connector.push('mail', [{ ...job, id: 'b' }]);
    expect((sizeOfLog() - before) / (24 + 4096)).toBe(3);
  });

  test('need not be those of a file that knex made with AUTOINCREMENT, which stays as it is', async () => {
    const file = sandbox.newFile();
    await sandbox.open(file).migrate();
    const raw = new Database(file);
    const sqlOf = raw
      .prepare(`SELECT sql FROM sqlite_master WHERE tbl_name = 'jobs' AND sql IS NOT NULL`)
      .pluck();
    const [table, ...indexes] = sqlOf.all() as [string, ...string[]];
    const counted = table
      .replace('`id` integer not null', '`id` integer not null primary key autoincrement')
      .replace(', primary key (`id`)', '');
    expect(counted).toContain('autoincrement');
    raw.exec(['DROP TABLE jobs', counted, ...indexes].join(';'));
    raw.close();
    const connector = sandbox.open(file);
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    expect(await connector.push('mail', [job])).toEqual(['already-there']);
    const [taken] = await connector.reserve(['mail'], 10, 90_000);
    expect(taken).toMatchObject({ id: 'a', body: '{}' });
    expect(await connector.delete(taken ? [taken.lease] : [])).toEqual([true]);
    expect(await connector.migrate()).toEqual([]);
  });
});

describe('a schema that is not the one of this version', () => {
  test('newer: every verb refuses, and so does migrate', async () => {
    const file = sandbox.newFile();
    await sandbox.open(file).migrate();
    run(file, `INSERT INTO ${historyTable} VALUES ('9999_future', 'jobs', 0)`);
    const refusal = { code: 'E_STORE_SCHEMA', message: expect.stringContaining('9999_future') };
    const connector = sandbox.open(file);
    await expect(connector.size('mail')).rejects.toMatchObject(refusal);
    await expect(connector.failedJobs.list()).rejects.toMatchObject(refusal);
    await expect(connector.migrate()).rejects.toMatchObject(refusal);
    const unmigrated = sandbox.open({ url: `sqlite:${file}`, autoMigrate: false });
    await expect(unmigrated.size('mail')).rejects.toMatchObject(refusal);
  });

  test('newer, but of other tables: no concern of this connection', async () => {
    const file = sandbox.newFile();
    await sandbox.open(file).migrate();
    run(file, `INSERT INTO ${historyTable} VALUES ('9999_future', 'other_jobs', 0)`);
    expect(await sandbox.open(file).size('mail')).toMatchObject({ ready: 0 });
  });

  test('older: refused when autoMigrate is off', async () => {
    const file = sandbox.newFile();
    await sandbox.open(file).migrate();
    run(file, `DELETE FROM ${historyTable} WHERE name = '0004_queue_workers'; DROP TABLE queue_workers`);
    const connector = sandbox.open({ url: `sqlite:${file}`, autoMigrate: false });
    await expect(connector.size('mail')).rejects.toMatchObject({
      code: 'E_STORE_SCHEMA',
      fix: 'Run: drover queue:migrate',
    });
    expect(await connector.migrate()).toEqual(['0004_queue_workers']);
    expect(await connector.size('mail')).toMatchObject({ ready: 0 });
  });

  test.each([
    ['a column missing', 'ALTER TABLE jobs DROP COLUMN payload'],
    ['a table missing', 'DROP TABLE jobs'],
    ['another unique key', 'DROP INDEX jobs_job_id_queue'],
    [
      'a rule of its own',
      `CREATE UNIQUE INDEX own ON jobs (queue); INSERT INTO jobs VALUES
      (1, 'x', 'mail', 0, 0, 0, NULL, NULL, 0, '', 0)`,
    ],
  ])('%s', async (_, sql) => {
    const file = sandbox.newFile();
    await sandbox.open(file).migrate();
    run(file, sql);
    await expect(sandbox.open(file).push('mail', [job])).rejects.toMatchObject({
      code: 'E_STORE_SCHEMA',
      transient: false,
    });
  });
});

test('migrations run in the application’s own knex migrations', async () => {
  const filename = sandbox.newFile();
  const instance = knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
  try {
    for (const migration of migrations) await migration.up(instance, defaultTables);
    const connector = sandbox.open({ knex: instance });
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    expect(await connector.failedJobs.list()).toEqual([]);
    await connector.close();
    for (const migration of [...migrations].reverse()) await migration.down(instance, defaultTables);
    expect(tablesOf(filename)).toEqual([]);
  } finally {
    await instance.destroy();
  }
});
