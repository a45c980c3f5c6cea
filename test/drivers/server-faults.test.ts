import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector, Lease } from '../../src/index.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { failedJob, type SqliteConnector } from '../support/sqlite.js';

const job = (id: string) => ({ id, body: '{}' });
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ resolvedWith: value }),
    (error: unknown) => error,
  );

/** Until a client has heard that its connection was ended, a call may be sent into the void, and nothing else thrown. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
    }
  }
}

describe.each(serverKinds)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  /** A connector on tables of its own, with the names of its jobs' table. */
  function openNew(
    options: object = {},
    internals: object = {},
  ): { connector: SqliteConnector; jobs: string } {
    const prefix = sandbox.newPrefix();
    return { connector: sandbox.open({ prefix, ...options }, internals), jobs: `${prefix}jobs` };
  }

  async function held(connector: Connector, ids: readonly string[]): Promise<Lease[]> {
    await connector.push('mail', ids.map(job));
    return (await connector.reserve(['mail'], ids.length, 60_000)).map(({ lease }) => lease);
  }

  /** Ends every connection to the database but the one that asks and another one. */
  async function endConnections(other: unknown = 0): Promise<void> {
    if (kind === 'postgres') {
      await sandbox.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), ${other})`,
      );
      return;
    }
    const rows = await sandbox.sql(
      `SELECT ID AS id FROM information_schema.PROCESSLIST
       WHERE DB = DATABASE() AND ID NOT IN (CONNECTION_ID(), ${other})`,
    );
    for (const { id } of rows) await sandbox.sql(`KILL ${id}`);
  }

  /** Resolves once a connection waits for a row lock. */
  async function untilSomebodyWaits(): Promise<void> {
    const waiting =
      kind === 'postgres'
        ? `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
        : `SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND COMMAND = 'Execute' AND INFO LIKE 'DELETE%' AND TIME_MS > 100`;
    while ((await sandbox.sql(waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test('idle connections that the server ends are replaced, and end no process', async () => {
    const { connector } = openNew();
    await connector.push('mail', [job('a')]);
    for (let time = 0; time < 3; time += 1) {
      await endConnections();
      const size = await untilAnswered(() => connector.size('mail'));
      expect(size).toEqual({ ready: 1, delayed: 0, reserved: 0 });
    }
  });

  test('a connection that is lost before it answered leaves the outcome open', async () => {
    const { connector, jobs } = openNew();
    const leases = await held(connector, ['a']);
    const blocker = await sandbox.plain();
    const [me] = await blocker.query(
      `SELECT ${kind === 'postgres' ? 'pg_backend_pid' : 'CONNECTION_ID'}() AS id`,
    );
    await blocker.query(`BEGIN; SELECT id FROM ${jobs} FOR UPDATE`);
    const deleting = errorOf(connector.delete(leases));
    await untilSomebodyWaits();
    await endConnections(me?.id);
    expect(await deleting).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: true });
    await blocker.query('ROLLBACK');
    expect(await untilAnswered(() => connector.delete(leases))).toEqual([true]);
  });

  test('a call that gets no answer ends at its deadline, and its connection with it', async () => {
    const { connector, jobs } = openNew({ commandTimeout: '300ms' });
    const leases = await held(connector, ['a']);
    const blocker = await sandbox.plain();
    await blocker.query(`BEGIN; SELECT id FROM ${jobs} FOR UPDATE`);
    expect(await errorOf(connector.delete(leases))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: true,
      message: expect.stringContaining('no answer within 300 ms'),
    });
    await blocker.query('ROLLBACK');
    expect(await connector.push('mail', [job('b')])).toEqual(['stored']);
  });

  test('a deadlock is taken back and tried again', async () => {
    const { connector, jobs } = openNew();
    const [first, second] = (await held(connector, ['a', 'b'])) as [Lease, Lease];
    const rival = await sandbox.plain();
    await connector.push(
      'other',
      Array.from({ length: 50 }, (_, index) => job(`weight-${index}`)),
    );
    // InnoDB gives up the transaction that has changed less: this one has changed more.
    // Or MariaDB would lock all rows that it reads on the way, not only those that it changes.
    const session = kind === 'mariadb' ? 'SESSION' : 'SESSION CHARACTERISTICS AS';
    await rival.query(`SET ${session} TRANSACTION ISOLATION LEVEL READ COMMITTED`);
    // PostgreSQL ends whoever looks first after this time: both begin to wait within moments.
    if (kind === 'postgres') await rival.query(`SET deadlock_timeout = '1min'`);
    await rival.query(`BEGIN; UPDATE ${jobs} SET attempts = 7 WHERE queue = 'other'`);
    await rival.query(`SELECT id FROM ${jobs} WHERE id = ${second.handle} FOR UPDATE`);
    const deleting = connector.delete([first, second]);
    await untilSomebodyWaits();
    await rival.query(`SELECT id FROM ${jobs} WHERE id = ${first.handle} FOR UPDATE`);
    await rival.query('COMMIT');
    expect(await deleting).toEqual([true, true]);
    expect(sandbox.deadlocks()).not.toEqual([]);
  });

  test('a lock that stays is told as passing', async () => {
    const { connector, jobs } = openNew({}, { conflictBudgetMs: 1 });
    const leases = await held(connector, ['a']);
    const blocker = await sandbox.plain();
    await blocker.query(`BEGIN; SELECT id FROM ${jobs} FOR UPDATE`);
    if (kind === 'postgres')
      await sandbox.sql(`ALTER DATABASE ${databaseOf(sandbox)} SET lock_timeout = '200ms'`);
    const other =
      kind === 'postgres' ? sandbox.open({ prefix: jobs.slice(0, -4) }, { conflictBudgetMs: 1 }) : connector;
    expect(await errorOf(other.delete(leases))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: false,
      message: expect.stringContaining(kind === 'postgres' ? '55P03' : '1205'),
    });
    await blocker.query('ROLLBACK');
    if (kind === 'postgres') await sandbox.sql(`ALTER DATABASE ${databaseOf(sandbox)} RESET lock_timeout`);
    expect(await connector.delete(leases)).toEqual([true]);
  });

  test('a missing table or column says what to run', async () => {
    const { connector, jobs } = openNew({ autoMigrate: false });
    const expected = {
      code: 'E_STORE_SCHEMA',
      transient: false,
      fix: expect.stringContaining('drover queue:migrate'),
    };
    expect(await errorOf(connector.push('mail', [job('a')]))).toMatchObject(expected);
    await connector.migrate();
    await sandbox.sql(`ALTER TABLE ${jobs} DROP COLUMN due_at`);
    expect(await errorOf(connector.push('mail', [job('a')]))).toMatchObject(expected);
  });

  test('a table with rules of its own is named as the cause', async () => {
    const { connector, jobs } = openNew();
    await connector.migrate();
    await sandbox.sql(`ALTER TABLE ${jobs} ADD COLUMN theirs INTEGER NOT NULL`);
    expect(await errorOf(connector.push('mail', [job('a')]))).toMatchObject({ code: 'E_STORE_SCHEMA' });
  });

  test('a server that cannot be reached is told at once, and nothing was sent', async () => {
    const url = sandbox.urlAt(1);
    expect(await errorOf(sandbox.open({ url }).push('mail', [job('a')]))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: false,
      message: expect.stringContaining('127.0.0.1:1/'),
    });
  });

  test('a user or database that is refused is a matter of the config, told without the password', async () => {
    const noDatabase = sandbox.url.replace(/[^/]*$/, 'nowhere');
    const noUser = sandbox.url.replace(/\/\/\w+/, '//nobody:s3cret');
    for (const url of [noDatabase, noUser]) {
      const error = await errorOf(sandbox.open({ url }).push('mail', [job('a')]));
      expect(error).toMatchObject({ code: 'E_CONFIG', transient: false });
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('s3cret');
    }
  });

  test('a server without a connection left is told as passing, and nothing was sent', async () => {
    const user = `u_${databaseOf(sandbox)}`.slice(0, 30);
    await sandbox.sql(
      kind === 'postgres'
        ? `CREATE ROLE ${user} LOGIN CONNECTION LIMIT 1; GRANT ALL ON SCHEMA public TO ${user};
           GRANT ALL ON drover_migrations TO ${user}`
        : `CREATE USER ${user} WITH MAX_USER_CONNECTIONS 1; GRANT ALL ON ${databaseOf(sandbox)}.* TO ${user}`,
    );
    const url = sandbox.url.replace(/\/\/\w+@/, `//${user}@`);
    const prefix = sandbox.newPrefix();
    const first = sandbox.open({ url, prefix });
    await first.push('mail', [job('a')]);
    expect(await errorOf(sandbox.open({ url, prefix }).size('mail'))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: false,
      message: expect.stringContaining('no connection left'),
    });
    await first.close();
    await sandbox.sql(
      kind === 'postgres' ? `DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}` : `DROP USER ${user}`,
    );
  });

  test('our own work never needs two connections at once', async () => {
    const connection = partsOf(sandbox.url);
    const client = kind === 'postgres' ? 'pg' : 'mysql2';
    const knexConfig = {
      client,
      connection,
      pool: { min: 0, max: 1 },
      acquireConnectionTimeout: 5_000,
    } as const;
    const prefix = sandbox.newPrefix();
    const connector = sandbox.open({ knex: knexConfig, prefix });
    await Promise.all([
      connector.migrate(),
      connector.push(
        'mail',
        Array.from({ length: 300 }, (_, index) => job(`a-${index}`)),
      ),
      connector.push('mail', [job('b'), job('b')]),
    ]);
    const taken = await connector.reserve(['mail', 'other'], 301, 60_000);
    expect(taken).toHaveLength(301);
    const leases = taken.map(({ lease }) => lease);
    await Promise.all([
      connector.extend(leases, 60_000),
      connector.release(leases.slice(0, 100).map((lease) => ({ lease, delayMs: 0 }))),
      connector.unreserve(leases.slice(100, 150)),
      connector.delete([...leases.slice(150, 200), ...leases.slice(0, 10)]),
      connector.fail([{ lease: leases[200] as Lease, record: failedJob({ jobId: 'x' }) }]),
      connector.signals.write('key', 'value'),
      connector.reserve(['mail', 'other'], 5, 60_000),
    ]);
    expect(await connector.failedJobs.retry([failedJob().uuid])).toEqual(['retried']);
    expect(await connector.clear('mail', { reserved: true })).toMatchObject({ delayed: 0 });
  });
});

describe('mariadb', () => {
  const sandbox = new ServerSandbox('mariadb');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  /** A pool whose connections the server ends after a second without work. */
  const pool = {
    max: 3,
    afterCreate: (connection: { query(sql: string, done: (error: unknown) => void): void }, done: never) =>
      connection.query('SET SESSION wait_timeout = 1', done),
  };

  async function sessions(): Promise<unknown[]> {
    const rows = await sandbox.sql(
      'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()',
    );
    return rows.map(({ id }) => id);
  }

  test('connections that were idle for too long are replaced, and no call hears of it', async () => {
    const { host, port, user, database } = partsOf(sandbox.url);
    const connection = { host, port, user, database };
    const connector = sandbox.open({ knex: { client: 'mysql2', connection, pool } });
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(['a', 'b', 'c'].map((id) => connector.push('mail', [job(`${id}-${round}`)])));
      const before = await sessions();
      expect(before).not.toEqual([]);
      while ((await sessions()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      // What the server has sent is here before what is asked of it from now on can be answered.
      await sandbox.sql('SELECT SLEEP(0.05)');
      expect(await connector.push('mail', [job(`after-${round}`)])).toEqual(['stored']);
      expect((await sessions()).filter((id) => before.includes(id))).toEqual([]);
    }
    expect(await connector.size('mail')).toMatchObject({ ready: 12 });
  });
});

describe('postgres', () => {
  const sandbox = new ServerSandbox('postgres');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('a read-only server is told as passing', async () => {
    const connector = sandbox.open({ prefix: 'readonly_' });
    await connector.migrate();
    await sandbox.sql(`ALTER DATABASE ${databaseOf(sandbox)} SET default_transaction_read_only = on`);
    const late = sandbox.open({ prefix: 'readonly_' });
    expect(await errorOf(late.push('mail', [job('a')]))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      message: expect.stringContaining('read-only'),
    });
    await sandbox.sql('SET default_transaction_read_only = off');
    await sandbox.sql(`ALTER DATABASE ${databaseOf(sandbox)} RESET default_transaction_read_only`);
  });

  test('a reserve is READ COMMITTED where the database has another default', async () => {
    await sandbox.sql(
      `ALTER DATABASE ${databaseOf(sandbox)} SET default_transaction_isolation = 'serializable'`,
    );
    const connector = sandbox.open({ prefix: 'strict_' });
    await connector.push(
      'mail',
      Array.from({ length: 200 }, (_, index) => job(`a-${index}`)),
    );
    const many = Array.from({ length: 40 }, () => connector.reserve(['mail'], 5, 60_000));
    expect(new Set((await Promise.all(many)).flat().map(({ id }) => id)).size).toBe(200);
    await sandbox.sql(`ALTER DATABASE ${databaseOf(sandbox)} RESET default_transaction_isolation`);
  });

  test('prepared statements are made again when they are gone or fit no longer', async () => {
    const connections: { query(sql: string): Promise<{ rows: unknown[] }> }[] = [];
    const pool = {
      max: 1,
      afterCreate: (connection: (typeof connections)[0], done: (error: unknown) => void) => {
        connections.push(connection);
        done(null);
      },
    };
    const connection = partsOf(sandbox.url);
    const connector = sandbox.open({
      knex: { client: 'pg', connection, pool },
      prefix: 'named_',
      prepare: true,
    });
    const prepared = async (): Promise<number> =>
      (await connections[0]?.query('SELECT 1 FROM pg_prepared_statements'))?.rows.length ?? 0;
    await connector.push('mail', [job('a')]);
    await connector.failedJobs.record([failedJob()]);
    expect(await connector.failedJobs.list()).toHaveLength(1);
    expect(await prepared()).toBeGreaterThan(2);
    await connections[0]?.query('DEALLOCATE ALL');
    expect(await connector.push('mail', [job('b')])).toEqual(['stored']);
    await sandbox.sql('ALTER TABLE named_failed_jobs ADD COLUMN theirs INTEGER');
    expect(await connector.failedJobs.list()).toHaveLength(1);
    expect(connections).toHaveLength(1);
    const knex = { client: 'pg', connection, pool } as const;
    const without = sandbox.open({ knex, prefix: 'named_', prepare: false });
    await without.size('mail');
    expect((await connections[1]?.query('SELECT 1 FROM pg_prepared_statements'))?.rows).toEqual([]);
    // Not told: this connection is seen to have a session for itself.
    await sandbox.open({ knex, prefix: 'named_' }).size('mail');
    expect((await connections[2]?.query('SELECT 1 FROM pg_prepared_statements'))?.rows).not.toEqual([]);
  });
});

function databaseOf({ url }: ServerSandbox): string {
  return new URL(url).pathname.slice(1);
}

function partsOf(url: string): { host: string; port: number; user: string; database: string } {
  const { hostname, port, username, pathname } = new URL(url);
  return { host: hostname, port: Number(port), user: username, database: pathname.slice(1) };
}
