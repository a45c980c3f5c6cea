import { join, resolve } from 'node:path';
import knex from 'knex';
import { describe, expect, test } from 'vitest';
import { type DatabaseOptions, database } from '../../drivers/database/index.js';
import { readOptions } from '../../drivers/database/settings.js';
import { QueueError } from '../../src/index.js';

function refusal(options: unknown): QueueError {
  try {
    database(options as DatabaseOptions);
  } catch (error) {
    if (error instanceof QueueError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const filenameOf = (options: DatabaseOptions) => readOptions(options).target.place;

describe('a URL', () => {
  test.each([
    ['sqlite:./queue.sqlite', resolve('queue.sqlite')],
    ['sqlite:data/queue.sqlite', resolve('data/queue.sqlite')],
    ['sqlite:/var/lib/queue.sqlite', '/var/lib/queue.sqlite'],
    ['sqlite:///var/lib/queue.sqlite', '/var/lib/queue.sqlite'],
    ['SQLITE:./queue.sqlite', resolve('queue.sqlite')],
    ['file:./queue.sqlite', resolve('queue.sqlite')],
    ['file:///var/lib/my%20queue.sqlite', '/var/lib/my queue.sqlite'],
    ['sqlite:./a%3Fb.sqlite', resolve('a?b.sqlite')],
    ['sqlite::memory:', ':memory:'],
    ['file::memory:', ':memory:'],
  ])('%s names %s', (url, filename) => {
    expect(filenameOf({ url })).toBe(filename);
  });

  test.each([
    ['./queue.sqlite'],
    ['queue.sqlite'],
    [''],
    ['sqlite:'],
    ['sqlite://data/queue.sqlite'],
    ['sqlite:./queue.sqlite?mode=ro'],
    ['sqlite:./queue.sqlite#x'],
    ['sqlite:./100%.sqlite'],
    ['sqlite:./queue.sqlite%20'],
    ['sqlite:./a%00b'],
    ['redis://localhost'],
  ])('%s is refused', (url) => {
    const error = refusal({ url });
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false });
    expect(error.message).toMatch(/^url: /);
    expect(error.fix).toMatch(/sqlite:|%3F/);
  });

  test.each([
    'mysql2://app:s3cret@db/jobs',
    'mongodb://app:s3cret@db/jobs',
    'mysql://app:s3cret@db',
    'mysql://app:s3cret%@db/jobs',
    'postgres://app:s3cret@db/jobs/more',
    'postgres://app:user@db/jobs?password=s3cret',
    'mariadb://app:s3cret@db:port/jobs',
    'app:s3cret@db/jobs',
    'sqlite://app:s3cret@db/jobs',
    'sqlite:///app:s3cret%@db/jobs',
    'sqlite:./x?password=s3cret',
  ])('%s is refused without its password', (url) => {
    const error = refusal(url);
    expect(['E_UNSUPPORTED', 'E_CONFIG']).toContain(error.code);
    expect(`${error.message} ${error.fix} ${String(error.cause)}`).not.toContain('s3cret');
  });

  test('of a database without a dialect says which there are', () => {
    expect(refusal('mssql://db/jobs')).toMatchObject({
      code: 'E_UNSUPPORTED',
      message: 'url: mssql: the database driver speaks sqlite, mysql, mariadb, postgres and postgresql',
    });
  });
});

describe('knex', () => {
  test('takes a configuration, whose file name becomes absolute', () => {
    const config = { client: 'better-sqlite3', connection: { filename: './queue.sqlite' } } as const;
    expect(filenameOf({ knex: config })).toBe(resolve('queue.sqlite'));
  });

  test('takes a ready instance, and does not migrate behind its back', async () => {
    const filename = join('/var/lib', 'app.sqlite');
    const instance = knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
    const settings = readOptions({ knex: instance });
    expect(settings).toMatchObject({
      target: { kind: 'sqlite', place: filename, instance },
      autoMigrate: false,
    });
    expect(readOptions({ knex: instance, autoMigrate: true }).autoMigrate).toBe(true);
    await instance.destroy();
  });

  test.each([
    [{ client: 'mysql', connection: 'mysql://app:s3cret@db/x' }, 'E_UNSUPPORTED', 'mysql'],
    [{ client: 'constructor', connection: {} }, 'E_UNSUPPORTED', 'constructor'],
    [{ client: 'pg' }, 'E_CONFIG', 'connection'],
    [{ client: 'sqlite3', connection: { filename: 'x' } }, 'E_UNSUPPORTED', 'sqlite3'],
    [Object.assign(() => {}, { client: { config: { client: 'oracledb' } } }), 'E_UNSUPPORTED', 'oracledb'],
    [{ client: 'better-sqlite3' }, 'E_CONFIG', 'filename'],
    [{ client: 'better-sqlite3', connection: {} }, 'E_CONFIG', 'filename'],
    [{ client: 'better-sqlite3', connection: { filename: '' } }, 'E_CONFIG', 'filename'],
    [{ connection: { filename: 'x' } }, 'E_CONFIG', 'client'],
    [null, 'E_CONFIG', 'client'],
  ])('%o is refused', (given, code, named) => {
    const error = refusal({ knex: given });
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^knex/);
    expect(error.message).toContain(named);
    expect(error.message).not.toContain('s3cret');
  });

  test('a transaction is refused', async () => {
    const connection = { filename: ':memory:' };
    const instance = knex({ client: 'better-sqlite3', connection, useNullAsDefault: true });
    const transaction = await instance.transaction();
    expect(refusal({ knex: transaction })).toMatchObject({ code: 'E_CONFIG' });
    await transaction.rollback();
    await instance.destroy();
  });
});

describe('the other options', () => {
  const url = 'sqlite::memory:';

  test('have defaults', () => {
    expect(readOptions({ url })).toMatchObject({
      tables: {
        jobs: 'jobs',
        failedJobs: 'failed_jobs',
        signals: 'queue_signals',
        workers: 'queue_workers',
        statistics: 'queue_statistics',
        history: 'queue_history',
      },
      autoMigrate: true,
      synchronous: 'normal',
    });
    expect(database(url)).toMatchObject({
      driver: 'database',
      settings: { queue: 'default', leaseMs: 90_000 },
    });
  });

  test.each([
    [undefined, 'URL'],
    [null, 'URL'],
    [{}, 'url'],
    [{ url, knex: { client: 'better-sqlite3', connection: { filename: 'x' } } }, 'knex'],
    [{ url: 7 }, 'url'],
    [{ url, tabel: 'x' }, 'tabel'],
    [{ url, autoMigrate: 'yes' }, 'autoMigrate'],
    [{ url, synchronous: 'off' }, 'synchronous'],
    [{ url, table: '' }, 'table'],
    [{ url, table: '1jobs' }, 'table'],
    [{ url, table: 'jobs"; DROP TABLE users' }, 'table'],
    [{ url, table: 'x'.repeat(64) }, 'table'],
    [{ url, table: 7 }, 'table'],
    [{ url, table: 'sqlite_jobs' }, 'table'],
    [{ url, failedTable: 'main.failed' }, 'failedTable'],
    [{ url, signalsTable: 'a b' }, 'signalsTable'],
    [{ url, workersTable: 'queue_signals' }, 'workersTable'],
    [{ url, statisticsTable: 'a b' }, 'statisticsTable'],
    [{ url, historyTable: 'queue_statistics' }, 'historyTable'],
    [{ url, history: { keep: 0 } }, 'history.keep'],
    [{ url, failedTable: 'JOBS' }, 'failedTable'],
    [{ url, table: 'drover_migrations' }, 'table'],
    [{ url, lease: '5s', retry_after: 5 }, 'lease'],
  ])('%o is refused', (options, named) => {
    const error = refusal(options);
    expect(error.code).toBe('E_CONFIG');
    expect(error.message).toContain(named);
  });
});
