import knex from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../drivers/database/connect.js';
import { mysqlFindings } from '../../drivers/database/dialects/mysql-health.js';
import { readOptions } from '../../drivers/database/settings.js';
import { historyTable, migrations } from '../../migrations/index.js';
import { type Connector, encryptionFinding, type Finding, silentLogger } from '../../src/index.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

/** The finding of a check: the first that is not ok, where there are several. */
function of(check: string, findings: readonly Finding[]): Finding | undefined {
  const all = findings.filter((finding) => finding.check === check);
  return all.find(({ status }) => status !== 'ok') ?? all[0];
}

async function diagnose(connector: Connector): Promise<Finding[]> {
  return (await connector.diagnose?.()) ?? [];
}

const steps = migrations.map(({ name }) => name);

interface Sandbox {
  readonly kind: 'sqlite' | 'mariadb' | 'postgres';
  /** A connector on tables of a prefix that goes by this host's clock, or as far off it. */
  open(prefix: string, more?: { autoMigrate?: boolean; clockMs?: number }): Promise<Connector>;
  sql(text: string): Promise<unknown>;
}

function holdsFor(sandbox: () => Sandbox): void {
  test('all is well', async () => {
    const connector = await sandbox().open('well_');
    await connector.migrate?.();
    await connector.push('mail', [{ id: 'a', body: '{}' }]);
    const findings = await diagnose(connector);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['schema', 'indexes']));
    expect(of('schema', findings)?.message).toContain(`${steps.length} steps`);
  });

  test('no tables yet: an error, or a warning where the first use makes them; none is made', async () => {
    const open = (autoMigrate: boolean) => sandbox().open('none_', { autoMigrate });
    for (const [autoMigrate, status] of [
      [true, 'warning'],
      [false, 'error'],
    ] as const) {
      const finding = of('schema', await diagnose(await open(autoMigrate)));
      expect(finding).toMatchObject({ status, fix: 'Run: drover queue:migrate' });
      for (const step of steps) expect(finding?.message).toContain(step);
    }
    await expect(sandbox().sql('SELECT 1 FROM none_jobs')).rejects.toThrow();
  });

  test('a step that is missing', async () => {
    const connector = await sandbox().open('old_', { autoMigrate: false });
    await connector.migrate?.();
    await sandbox().sql(`DELETE FROM ${historyTable} WHERE table_name = 'old_jobs'`);
    expect(of('schema', await diagnose(connector))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('older version: the steps 0001_jobs'),
    });
  });

  test('a newer schema', async () => {
    const connector = await sandbox().open('newer_');
    await connector.migrate?.();
    await sandbox().sql(
      `INSERT INTO ${historyTable} (name, table_name, applied_at) VALUES ('9999_later', 'newer_jobs', 1)`,
    );
    expect(of('schema', await diagnose(connector))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('9999_later'),
      fix: expect.stringContaining('Update drover'),
    });
  });

  test('a table that is gone', async () => {
    const connector = await sandbox().open('gone_');
    await connector.migrate?.();
    await sandbox().sql('DROP TABLE gone_failed_jobs');
    expect(of('schema', await diagnose(connector))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('gone_failed_jobs is gone'),
    });
  });

  test("tables of the application's own migrations are taken as they are", async () => {
    const connector = await sandbox().open('own_', { autoMigrate: false });
    await connector.migrate?.();
    await sandbox().sql(`DELETE FROM ${historyTable} WHERE table_name LIKE 'own_%'`);
    expect(of('schema', await diagnose(connector))).toMatchObject({ status: 'ok' });
  });

  test.each([
    ['jobs', 'due', 'warning', '(queue, available_at, id)'],
    ['jobs', 'job_id_queue', 'error', '(job_id, queue)'],
    ['failed_jobs', 'failed_at', 'warning', '(failed_at)'],
    ['failed_jobs', 'job', 'error', '(job_id, queue, connection)'],
  ])('an index that is gone: %s_%s; the fix makes it again', async (table, suffix, status, columns) => {
    const prefix = `${suffix}_`;
    const connector = await sandbox().open(prefix);
    await connector.migrate?.();
    await dropIndex(sandbox(), `${prefix}${table}`, suffix);
    const finding = of('indexes', await diagnose(connector));
    expect(finding).toMatchObject({ status, message: expect.stringContaining(columns) });
    await sandbox().sql(finding?.fix?.replace('Run: ', '') ?? '');
    expect(of('indexes', await diagnose(connector))).toMatchObject({ status: 'ok' });
  });
}

async function dropIndex({ kind, sql }: Sandbox, table: string, suffix: string): Promise<void> {
  const name = `${table}_${suffix}`;
  if (kind === 'mariadb') await sql(`ALTER TABLE ${table} DROP INDEX ${name}`);
  else if (kind === 'sqlite') await sql(`DROP INDEX ${name}`);
  // What knex makes of a unique index is a constraint here.
  else if (suffix.startsWith('job')) await sql(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  else await sql(`DROP INDEX ${name}`);
}

describe('sqlite', () => {
  const files = new SqliteSandbox();
  const file = files.newFile();
  const instance = knex({ client: 'better-sqlite3', connection: { filename: file }, useNullAsDefault: true });
  afterAll(async () => {
    await instance.destroy();
    await files.clean();
  });
  holdsFor(() => ({
    kind: 'sqlite',
    open: async (prefix, { autoMigrate = true } = {}) =>
      files.open({ url: `sqlite://${file}`, prefix, autoMigrate }),
    sql: async (text) => await instance.raw(text),
  }));

  test('a journal that lets readers and writers hold each other up', async () => {
    const own = knex({
      client: 'better-sqlite3',
      connection: { filename: files.newFile() },
      useNullAsDefault: true,
    });
    const connector = files.open({ knex: own, autoMigrate: true });
    expect(of('journal', await diagnose(connector))).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('PRAGMA journal_mode = WAL'),
    });
    await own.raw('PRAGMA journal_mode = WAL');
    expect(of('journal', await diagnose(connector))).toMatchObject({ status: 'ok' });
    await own.destroy();
  });
});

describe.each(serverKinds)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  const opened: Connector[] = [];
  const connect = (options: object, clockMs?: number): Connector => {
    const connector = connectDatabase(readOptions(options), {
      connection: 'db',
      clock: { now: () => clockMs ?? Date.now() },
      logger: silentLogger,
      runInline: async () => {},
    });
    opened.push(connector);
    return connector;
  };
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(async () => {
    await Promise.all(opened.map((connector) => connector.close()));
    await sandbox.clean();
  });
  holdsFor(() => ({
    kind,
    open: async (prefix, { autoMigrate = true, clockMs } = {}) =>
      connect({ url: sandbox.url, prefix, autoMigrate }, clockMs),
    sql: (text) => sandbox.sql(text),
  }));

  test('a clock that is off', async () => {
    const now = Date.now();
    expect(of('clock', await diagnose(connect({ url: sandbox.url }, now + 7000)))).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/behind this host/),
    });
    expect(of('clock', await diagnose(connect({ url: sandbox.url }, now - 7000)))).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/ahead of this host/),
    });
    expect(of('clock', await diagnose(connect({ url: sandbox.url })))).toMatchObject({ status: 'ok' });
  });

  test('the version and SKIP LOCKED, and that the server takes writes', async () => {
    const findings = await diagnose(connect({ url: sandbox.url }));
    expect(of('version', findings)?.message).toMatch(/^(MariaDB|PostgreSQL) \d+\.\d+.*SKIP LOCKED/);
    expect(of('role', findings)).toMatchObject({ status: 'ok' });
    expect(of('tls', findings)).toMatchObject({ status: 'ok' });
  });

  test('the isolation of connections that the application set up', async () => {
    const client = kind === 'mariadb' ? 'mysql2' : 'pg';
    const level =
      kind === 'mariadb'
        ? 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'
        : "SET default_transaction_isolation = 'repeatable read'";
    const instance = knex({
      client,
      connection: sandbox.url,
      pool: {
        min: 0,
        max: 1,
        afterCreate: (connection: { query(sql: string, done: () => void): void }, done: () => void) =>
          connection.query(level, done),
      },
    });
    expect(of('isolation', await diagnose(connect({ knex: instance })))).toMatchObject({
      status: 'warning',
      fix: expect.stringMatching(/read committed/i),
    });
    await instance.destroy();
  });
});

describe('mariadb', () => {
  const sandbox = new ServerSandbox('mariadb');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('a table without transactions', async () => {
    const connector = sandbox.open();
    await connector.migrate();
    await sandbox.sql('ALTER TABLE jobs ENGINE = MyISAM');
    expect(of('engine', await diagnose(connector))).toMatchObject({
      status: 'error',
      message: expect.stringContaining('MyISAM'),
    });
    await sandbox.sql('ALTER TABLE jobs ENGINE = InnoDB');
    expect(of('engine', await diagnose(connector))).toBeUndefined();
  });
});

describe('postgres', () => {
  const sandbox = new ServerSandbox('postgres');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('a server that takes no writes', async () => {
    await sandbox.open().migrate();
    await sandbox.sql(
      `ALTER DATABASE ${new URL(sandbox.url).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    expect(of('role', await diagnose(sandbox.open({ autoMigrate: false })))).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('primary'),
    });
  });

  test('tables in a schema of their own are found there', async () => {
    const connector = sandbox.open({ schema: 'Queue' });
    const plain = await sandbox.plain();
    await plain.query('SET default_transaction_read_only = off');
    for (const statement of await connector.schemaSql({ whole: true })) await plain.query(statement);
    const findings = await diagnose(connector);
    expect(of('schema', findings)).toMatchObject({ status: 'ok' });
    expect(of('indexes', findings)).toMatchObject({ status: 'ok' });
  });
});

describe('what no server here is', () => {
  const facts = {
    version: '8.4.3',
    isolation: 'READ-COMMITTED',
    isReadOnly: 0,
    logsBinary: 1,
    binaryFormat: 'ROW',
    engine: 'InnoDB',
  };
  test.each([
    [{}, []],
    [{ version: '5.7.44' }, ['version warning']],
    [{ version: '10.5.2-MariaDB' }, ['version warning']],
    [{ binaryFormat: 'STATEMENT' }, ['binlog error']],
    [{ binaryFormat: 'STATEMENT', logsBinary: 0 }, []],
    [{ isReadOnly: 1 }, ['role error']],
  ])('MySQL with %j', (more, expected) => {
    const bad = mysqlFindings({ ...facts, ...more }).filter(({ status }) => status !== 'ok');
    expect(bad.map(({ check, status }) => `${check} ${status}`)).toEqual(expected);
  });

  test.each([
    [{ remoteAddress: '10.0.0.7' }, 'warning'],
    [{ remoteAddress: '::ffff:10.0.0.7', encrypted: false }, 'warning'],
    [{ remoteAddress: '10.0.0.7', encrypted: true }, 'ok'],
    [{ remoteAddress: '127.0.0.1' }, 'ok'],
    [{ remoteAddress: '::1' }, 'ok'],
    [{}, 'ok'],
  ])('a connection with %j', (socket, status) => {
    expect(encryptionFinding(socket)).toMatchObject({ check: 'tls', status });
  });
});
