import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import knex from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultTables, historyTable, migrations } from '../../migrations/index.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const job = { id: 'a', body: '{}' };
const everyStep = migrations.map(({ name }) => name);
const script = fileURLToPath(new URL('./fixtures/migrate-child.mjs', import.meta.url));

describe.each(serverKinds)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('ten processes that migrate at once make one schema, and one of them tells of it', async () => {
    const children = Array.from({ length: 10 }, async () => {
      const child = spawn(process.execPath, [script, sandbox.url, 'ten_'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const output: string[] = [];
      child.stdout.on('data', (text) => output.push(String(text)));
      const [code] = await once(child, 'close');
      expect(code).toBe(0);
      return JSON.parse(output.join('')) as string[];
    });
    const applied = await Promise.all(children);
    expect(applied.flat().sort()).toEqual([...everyStep].sort());
    expect(await sandbox.open({ prefix: 'ten_' }).migrate()).toEqual([]);
    const names = await sandbox.sql(`SELECT name FROM ${historyTable} WHERE table_name LIKE 'ten_%'`);
    expect(names.map(({ name }) => name).sort()).toEqual([...everyStep].sort());
  });

  test('a schema of a newer version is refused', async () => {
    await sandbox.open({ prefix: 'newer_' }).migrate();
    await sandbox.sql(
      `INSERT INTO ${historyTable} (name, table_name, applied_at) VALUES ('9999_later', 'newer_jobs', 1)`,
    );
    const connector = sandbox.open({ prefix: 'newer_' });
    for (const call of [() => connector.migrate(), () => connector.push('mail', [job])]) {
      await expect(call()).rejects.toMatchObject({
        code: 'E_STORE_SCHEMA',
        transient: false,
        message: expect.stringContaining('9999_later'),
      });
    }
  });

  test('tables that were there before are left as they are', async () => {
    await sandbox.sql('CREATE TABLE theirs_jobs (what INTEGER); INSERT INTO theirs_jobs VALUES (7)');
    const connector = sandbox.open({ prefix: 'theirs_' });
    for (let time = 0; time < 2; time += 1) {
      await expect(connector.push('mail', [job])).rejects.toMatchObject({
        code: 'E_STORE_SCHEMA',
        message: expect.stringContaining("drover's migrations did not make"),
      });
    }
    expect(await sandbox.sql('SELECT * FROM theirs_jobs')).toEqual([{ what: 7 }]);
  });

  test('names of tables are told apart from each other and from SQL', async () => {
    const names = { table: 'select', failedTable: 'order', signalsTable: 'group', workersTable: 'user' };
    const connector = sandbox.open({ ...names, prefix: '_' });
    await connector.migrate();
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    expect(await sandbox.open({ prefix: 'empty_' }).size('mail')).toMatchObject({ ready: 0 });
  });

  test('the script does the same, whole or what is missing of it', async () => {
    for (const [prefix, options] of [
      ['all_', { whole: true }],
      ['missing_', {}],
    ] as const) {
      const connector = sandbox.open({ prefix, autoMigrate: false });
      const statements = await connector.schemaSql(options);
      await sandbox.sql(statements.join(';\n'));
      expect(await connector.migrate()).toEqual([]);
      expect(await connector.schemaSql()).toEqual([]);
      expect(await connector.push('mail', [job])).toEqual(['stored']);
    }
  });

  test('migrations of the application make the same tables', async () => {
    const instance = knex({ client: kind === 'postgres' ? 'pg' : 'mysql2', connection: sandbox.url });
    const tables = {
      jobs: 'own_jobs',
      failedJobs: 'own_failed_jobs',
      signals: 'own_queue_signals',
      workers: 'own_queue_workers',
      statistics: 'own_queue_statistics',
      history: 'own_queue_history',
    };
    for (const migration of migrations) await migration.up(instance, tables);
    const connector = sandbox.open({ knex: instance, prefix: 'own_' });
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    await connector
      .migrate()
      .catch((error: unknown) => expect(error).toMatchObject({ code: 'E_STORE_SCHEMA' }));
    for (const migration of migrations.toReversed()) await migration.down(instance, tables);
    await expect(sandbox.sql('SELECT 1 FROM own_jobs')).rejects.toThrow();
    await instance.destroy();
  });
});

describe('mariadb', () => {
  const sandbox = new ServerSandbox('mariadb');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('a step that died half-way is gone on with', async () => {
    const whole = sandbox.open({ prefix: 'whole_' });
    await whole.migrate();
    const indexesOf = async (table: string): Promise<unknown[]> =>
      (await sandbox.sql(`SHOW INDEX FROM ${table}`)).map(({ Column_name }) => Column_name).sort();
    // As it is when the process dies after the table was made and before its indexes were.
    await sandbox.sql(`
      CREATE TABLE half_jobs LIKE whole_jobs;
      ALTER TABLE half_jobs DROP INDEX whole_jobs_due, DROP INDEX whole_jobs_job_id_queue, DROP COLUMN exceptions;
      INSERT INTO ${historyTable} (name, table_name, applied_at) VALUES ('0001_jobs', 'half_jobs', 0)`);
    expect(await sandbox.open({ prefix: 'half_' }).migrate()).toEqual(everyStep);
    expect(await indexesOf('half_jobs')).toEqual(await indexesOf('whole_jobs'));
    // As it is when the process dies after a column was added and before that was noted.
    const last = everyStep.at(-1) as string;
    await sandbox.sql(
      `UPDATE ${historyTable} SET applied_at = 0 WHERE name = '${last}' AND table_name = 'half_jobs'`,
    );
    expect(await sandbox.open({ prefix: 'half_' }).migrate()).toEqual([last]);
  });

  test('tables take four-byte characters and tell names apart by case, whatever the database is set to', async () => {
    await sandbox.sql('ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci');
    const connector = sandbox.open({ prefix: 'latin_' });
    const body = '{"data":"\u{1F411} \u7f8a"}';
    await connector.push('mail', [
      { id: 'a', body },
      { id: 'A', body },
    ]);
    expect((await connector.reserve(['mail'], 10, 60_000)).map((one) => one.body)).toEqual([body, body]);
  });

  test('delays do not depend on the time zone of a session', async () => {
    const instance = knex({
      client: 'mysql2',
      connection: sandbox.url,
      pool: {
        min: 0,
        max: 1,
        afterCreate: (connection: { query(sql: string, done: () => void): void }, done: () => void) =>
          connection.query("SET time_zone = '+13:00'", done),
      },
    });
    const connector = sandbox.open({ knex: instance, prefix: 'zone_', autoMigrate: true });
    await connector.push('mail', [job, { id: 'b', body: '{}', delayMs: 60_000 }]);
    const elsewhere = sandbox.open({ prefix: 'zone_' });
    expect(await elsewhere.size('mail')).toEqual({ ready: 1, delayed: 1, reserved: 0 });
    await instance.destroy();
  });
});

describe('postgres', () => {
  const sandbox = new ServerSandbox('postgres');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('tables can have a schema of their own, which is made', async () => {
    const connector = sandbox.open({ schema: 'Queue', autoMigrate: true });
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    const tables = await sandbox.sql(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'Queue' ORDER BY tablename`,
    );
    expect(tables.map(({ tablename }) => tablename)).toEqual(
      [historyTable, ...Object.values(defaultTables)].sort(),
    );
    const [row] = await sandbox.sql(
      `SELECT reloptions::text AS options FROM pg_class WHERE oid = '"Queue".jobs'::regclass`,
    );
    expect(row?.options).toContain('autovacuum_vacuum_threshold=1000');
  });

  test('statements of a migration that failed leave nothing', async () => {
    await sandbox.sql('CREATE TABLE odd_queue_signals (what INTEGER)');
    const connector = sandbox.open({ prefix: 'odd_' });
    await expect(connector.migrate()).rejects.toMatchObject({ code: 'E_STORE_SCHEMA' });
    await expect(sandbox.sql('SELECT 1 FROM odd_jobs')).rejects.toThrow(/does not exist/);
  });
});
