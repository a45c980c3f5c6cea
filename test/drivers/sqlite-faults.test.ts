import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { explainSqlite } from '../../drivers/database/dialects/sqlite-errors.js';
import { explain } from '../../drivers/database/errors.js';
import type { DatabaseOptions } from '../../drivers/database/index.js';
import { QueueError } from '../../src/index.js';
import { SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
afterAll(() => sandbox.clean());

const job = { id: 'a', body: '{}' };
const leaseMs = 90_000;

/** The error of a push on these options. */
async function refusal(options: string | DatabaseOptions): Promise<QueueError> {
  const outcome = await sandbox
    .open(options)
    .push('mail', [job])
    .catch((error: unknown) => error);
  if (outcome instanceof QueueError) return outcome;
  throw new Error(`no refusal: ${String(outcome)}`);
}

/** A file with jobs in it, closed. */
async function filled(jobs = 1): Promise<string> {
  const file = sandbox.newFile();
  const connector = sandbox.open(file);
  const body = 'x'.repeat(500);
  await connector.push(
    'mail',
    Array.from({ length: jobs }, (_, index) => ({ id: `job-${index}`, body })),
  );
  await connector.close();
  return file;
}

/** Options with something done to the connection as it is opened. */
function withPragma(filename: string, pragma: string): DatabaseOptions {
  const afterCreate = (connection: Database.Database, done: (error: unknown) => void): void => {
    connection.pragma(pragma);
    done(null);
  };
  return { knex: { client: 'better-sqlite3', connection: { filename }, pool: { afterCreate } } };
}

describe('a new file', () => {
  test('is for its owner alone, with the files beside it', async () => {
    const umask = process.umask(0);
    try {
      const file = sandbox.newFile();
      await sandbox.open(file).push('mail', [job]);
      for (const name of [file, `${file}-wal`, `${file}-shm`]) {
        expect(statSync(name).mode & 0o777).toBe(0o600);
      }
    } finally {
      process.umask(umask);
    }
  });

  test('gets the folder that it needs', async () => {
    const file = join(sandbox.folder, 'var', 'queue', 'jobs.sqlite');
    await sandbox.open(file).push('mail', [job]);
    expect(statSync(file).isFile()).toBe(true);
  });

  test('keeps the mode that somebody gave it before', async () => {
    const file = await filled();
    chmodSync(file, 0o640);
    await sandbox.open(file).push('mail', [job]);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test('is not made through a link that leads nowhere', async () => {
    const file = sandbox.newFile();
    symlinkSync(join(sandbox.folder, 'elsewhere'), file);
    const error = await refusal(file);
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: false });
    expect(error.message).toContain(file);
  });

  test('is opened through a link to a file', async () => {
    const file = await filled();
    const link = sandbox.newFile();
    symlinkSync(file, link);
    expect(await sandbox.open(link).size('mail')).toMatchObject({ ready: 1 });
  });
});

describe('a place that cannot be', () => {
  test('below a file', async () => {
    const file = join(await filled(), 'below', 'queue.sqlite');
    const error = await refusal(file);
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: false });
    expect(error.message).toMatch(/the folder .*below cannot be made \(E(?:NOTDIR|EXIST)\)/);
    expect(error.fix).toBeDefined();
  });

  test('a folder', async () => {
    const file = sandbox.newFile();
    mkdirSync(file);
    expect(await refusal(file)).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      message: `${file} is not a file`,
    });
  });

  test('a name that is too long', async () => {
    const error = await refusal(join(sandbox.folder, 'x'.repeat(300)));
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    expect(error.message).toContain('ENAMETOOLONG');
  });

  test('where the log cannot be made', async () => {
    const file = await filled();
    mkdirSync(`${file}-wal`);
    expect(await refusal(file)).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: false });
  });

  test('where nothing may be created', async () => {
    // /proc refuses new files to everybody, root too.
    const error = await refusal('/proc/self/queue.sqlite');
    expect(['E_STORE_READONLY', 'E_STORE_UNAVAILABLE']).toContain(error.code);
    expect(error.message).toContain('/proc/self/queue.sqlite cannot be created');
  });
});

describe('a file that cannot be written', () => {
  test('opened with readonly', async () => {
    const filename = await filled();
    const connection = { filename, options: { readonly: true } };
    const error = await refusal({ knex: { client: 'better-sqlite3', connection } });
    expect(error).toMatchObject({ code: 'E_STORE_READONLY', transient: false });
    expect(error.message).toContain(filename);
    expect(error.fix).toContain('write');
  });

  test('can still be read', async () => {
    const connector = sandbox.open(withPragma(await filled(), 'query_only = ON'));
    expect(await connector.size('mail')).toMatchObject({ ready: 1 });
    const error = { code: 'E_STORE_READONLY', transient: false };
    await expect(connector.push('mail', [job])).rejects.toMatchObject(error);
    await expect(connector.reserve(['mail'], 1, leaseMs)).rejects.toMatchObject(error);
  });
});

test('a full disk refuses the whole push and loses nothing', async () => {
  const connector = sandbox.open(withPragma(await filled(), 'max_page_count = 30'));
  const large = Array.from({ length: 50 }, (_, index) => ({ id: `large-${index}`, body: 'x'.repeat(9_000) }));
  const error = { code: 'E_STORE_FULL', transient: true };
  await expect(connector.push('mail', large)).rejects.toMatchObject(error);
  expect(await connector.size('mail')).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  // Nothing is left open: what frees space goes on.
  const [taken] = await connector.reserve(['mail'], 1, leaseMs);
  expect(await connector.delete(taken ? [taken.lease] : [])).toEqual([true]);
});

describe('a damaged file', () => {
  test('that is no database is left as it is', async () => {
    const file = sandbox.newFile();
    const content = 'name,address\n'.repeat(1_000);
    writeFileSync(file, content);
    const error = await refusal(file);
    expect(error).toMatchObject({ code: 'E_STORE_CORRUPT', transient: false });
    expect(error.message).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  test('with pages overwritten is left as it is', async () => {
    const file = await filled(200);
    const content = readFileSync(file);
    content.fill(0xa5, 4096);
    writeFileSync(file, content);
    expect(await refusal(file)).toMatchObject({ code: 'E_STORE_CORRUPT', transient: false });
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test('is opened once it has been replaced', async () => {
    const file = sandbox.newFile();
    writeFileSync(file, 'damaged'.repeat(1_000));
    const connector = sandbox.open(file);
    await expect(connector.push('mail', [job])).rejects.toMatchObject({ code: 'E_STORE_CORRUPT' });
    writeFileSync(file, readFileSync(await filled()));
    expect(await connector.size('mail')).toMatchObject({ ready: 1 });
  });
});

describe('what a test cannot provoke', () => {
  const sqlite = { place: '/var/queue.sqlite', explain: explainSqlite };

  test.each([
    ['SQLITE_IOERR_WRITE', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_IOERR_FSYNC', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_BUSY_SNAPSHOT', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_LOCKED_SHAREDCACHE', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_PROTOCOL', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_NOMEM', 'E_STORE_UNAVAILABLE', true],
    ['SQLITE_READONLY_DBMOVED', 'E_STORE_READONLY', false],
    ['SQLITE_CANTOPEN_ISDIR', 'E_STORE_UNAVAILABLE', false],
    ['SQLITE_CORRUPT_VTAB', 'E_STORE_CORRUPT', false],
    ['SQLITE_TOOBIG', 'E_PAYLOAD_TOO_LARGE', false],
    ['SQLITE_ERROR', 'E_STORE_UNAVAILABLE', false],
  ])('%s becomes %s', (given, code, transient) => {
    const cause = new Database.SqliteError('as SQLite says', given);
    expect(explain(cause, sqlite)).toMatchObject({
      code,
      transient,
      cause,
      message: expect.stringMatching(/^\/var\/queue\.sqlite.*as SQLite says/),
    });
  });

  test('an error of drover stays what it is', () => {
    const error = new QueueError('E_QUEUE_CLOSED', 'closed');
    expect(explain(error, sqlite)).toBe(error);
  });
});
