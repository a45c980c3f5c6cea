import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { historyTable, migrations } from '../../migrations/index.js';
import { SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
// Ahead of the children, which go by the machine's clock: what they push is due here.
sandbox.nowMs = Date.now() + 3_600_000;
const children: Child[] = [];
afterAll(async () => {
  for (const { process } of children) process.kill('SIGKILL');
  await sandbox.clean();
});

const script = fileURLToPath(new URL('./fixtures/sqlite-child.mjs', import.meta.url));
const job = (id: string) => ({ id, body: '{}' });

/** A process of its own, with the lines that it prints after "ready". */
class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: string[] = [];
  readonly ended: Promise<string>;
  #errors = '';

  constructor(...args: string[]) {
    this.process = spawn(process.execPath, [script, ...args]);
    this.process.stderr.on('data', (text) => {
      this.#errors += String(text);
    });
    createInterface(this.process.stdout).on('line', (line) => this.lines.push(line));
    this.ended = once(this.process, 'close').then(([code]) => `${code}${this.#errors}`);
    children.push(this);
  }

  /** Resolves when that many lines have been printed, "ready" included. */
  async printed(lines: number): Promise<void> {
    while (this.lines.length < lines) {
      const dead = this.ended.then((outcome) => Promise.reject(new Error(`child ended: ${outcome}`)));
      await Promise.race([once(this.process.stdout, 'data'), dead]);
      await new Promise(setImmediate);
    }
  }
}

/** The longest time that `task` kept the event loop from turning, in ms. */
async function longestStall(task: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 5);
  await task().finally(() => clearInterval(timer));
  look();
  return longest;
}

describe('several processes', () => {
  test('open the same new files at the same moment', async () => {
    const files = Array.from({ length: 5 }, () => sandbox.newFile());
    const six = Array.from({ length: 6 }, () => new Child('open', ...files));
    await Promise.all(six.map((child) => child.printed(1)));
    for (const { process } of six) process.stdin.write('go\n');
    expect(await Promise.all(six.map(({ ended }) => ended))).toEqual(Array(6).fill('0'));
    for (const file of files) {
      expect(await sandbox.open(file).size('mail')).toEqual({ ready: 6, delayed: 0, reserved: 0 });
      const raw = new Database(file);
      expect(raw.prepare(`SELECT count(*) FROM ${historyTable}`).pluck().get()).toBe(migrations.length);
      raw.close();
    }
  });

  test('write to one file without losing a job or holding each other up', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.size('mail');
    const writers = ['a', 'b'].map((prefix) => new Child('push', file, prefix, '400'));
    await Promise.all(writers.map((child) => child.printed(2)));
    const taken = new Set<string>();
    const stall = await longestStall(async () => {
      for (let index = 0; index < 400; index += 1) {
        await connector.push('mail', [job(`own-${index}`)]);
        const reserved = await connector.reserve(['mail'], 5, 90_000);
        for (const { id } of reserved) taken.add(id);
        const deleted = await connector.delete(reserved.map(({ lease }) => lease));
        expect(deleted).toEqual(reserved.map(() => true));
      }
    });
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual(['0', '0']);
    for (const { id } of await connector.reserve(['mail'], 2_000, 90_000)) taken.add(id);
    expect(taken.size).toBe(1_200);
    expect(stall).toBeLessThan(500);
  });
});

describe('a lock that another process holds', () => {
  test('is waited for while the event loop turns', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.size('mail');
    const holder = new Child('hold', file, '1500');
    await holder.printed(1);
    const stall = await longestStall(() => connector.push('mail', [job('a'), job('b')]));
    expect(await connector.size('mail')).toMatchObject({ ready: 2 });
    expect(stall).toBeLessThan(500);
    expect(await holder.ended).toBe('0');
  });

  test('makes the store unavailable when it is held too long', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file, 300);
    await connector.size('mail');
    const raw = new Database(file);
    raw.exec('BEGIN IMMEDIATE');
    await expect(connector.push('mail', [job('a')])).rejects.toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      message: expect.stringContaining('locked by another process'),
    });
    // Readers are never held up.
    expect(await connector.size('mail')).toMatchObject({ ready: 0 });
    raw.exec('ROLLBACK');
    raw.close();
    expect(await connector.push('mail', [job('a')])).toEqual(['stored']);
  });

  test('keeps close waiting for the verb that waits for it', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.size('mail');
    const raw = new Database(file);
    raw.exec('BEGIN IMMEDIATE');
    const pushing = connector.push('mail', [job('a')]);
    const closing = connector.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    raw.exec('ROLLBACK');
    raw.close();
    expect(await pushing).toEqual(['stored']);
    await closing;
  });
});

describe('kill -9', () => {
  test('amid a transaction leaves the file usable and nothing of it', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.push('mail', [job('before')]);
    const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO jobs (job_id, queue, attempts, available_at, created_at, due_at, payload)
      SELECT 'half-' || i, 'mail', 0, 0, 0, 0, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n`;
    const child = new Child('begin', file, rows);
    await child.printed(1);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await connector.push('mail', [job('after')])).toEqual(['stored']);
    expect(await connector.size('mail')).toEqual({ ready: 2, delayed: 0, reserved: 0 });
    const raw = new Database(file);
    expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
    raw.close();
  });

  test('amid the first migration leaves no lock behind', async () => {
    const file = sandbox.newFile();
    const half = `CREATE TABLE ${historyTable} (name TEXT); CREATE TABLE jobs (id INTEGER)`;
    const child = new Child('begin', file, half);
    await child.printed(1);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await sandbox.open(file).push('mail', [job('a')])).toEqual(['stored']);
  });

  test('of a producer loses no job that was accepted', async () => {
    const file = sandbox.newFile();
    const child = new Child('push', file, 'job', '100000');
    await child.printed(200);
    child.process.kill('SIGKILL');
    await child.ended;
    const [, ...accepted] = child.lines;
    const taken = await sandbox.open(file).reserve(['mail'], 200_000, 90_000);
    const stored = new Set(taken.map(({ id }) => id));
    expect(accepted.filter((id) => !stored.has(id))).toEqual([]);
    // Each line has left the child before its next push: beyond them at most the one whose line was under way.
    expect(stored.size - accepted.length).toBeLessThanOrEqual(1);
  });
});
