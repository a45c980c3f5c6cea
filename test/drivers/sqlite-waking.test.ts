import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import knex, { type Knex } from 'knex';
import { afterAll, expect, test } from 'vitest';
import { type SqliteConnector, SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
// Ahead of the child, which goes by the machine's clock: what it pushes is due here.
sandbox.nowMs = Date.now() + 3_600_000;
const children: ChildProcessWithoutNullStreams[] = [];
const instances: Knex[] = [];
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await sandbox.clean();
  await Promise.all(instances.map((instance) => instance.destroy()));
});

const script = fileURLToPath(new URL('./fixtures/sqlite-child.mjs', import.meta.url));
const { signal } = new AbortController();
setMaxListeners(0, signal);
/** Longer than a test may take: such a wait must be woken. */
const longMs = 600_000;

const waitOn = (connector: SqliteConnector, queues: readonly string[] = ['q'], abort = signal) =>
  connector.waitForJob?.(queues, longMs, abort);

/** A process of its own that pushes what it is told to. */
async function startFeeder(file: string): Promise<(queue: string, id: string) => void> {
  const child = spawn(process.execPath, [script, 'feed', file]);
  children.push(child);
  await once(child.stdout, 'data');
  return (queue, id) => child.stdin.write(`${JSON.stringify([queue, { id, body: '{}' }])}\n`);
}

/** A file in a folder of its own, of which this process has no watch yet. */
function newFile(): string {
  const folder = sandbox.newFile();
  mkdirSync(folder);
  return join(folder, 'queue.sqlite');
}

/** An instance of an application, whose file has no write-ahead log. */
function instanceOn(filename: string): Knex {
  const instance = knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
  instances.push(instance);
  return instance;
}

/** How many folders this process watches. */
function watched(): number {
  const list = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    } catch {
      return ''; // the one of the listing itself
    }
  });
  return list.join('\n').match(/^inotify wd:/gm)?.length ?? 0;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

const job = (round: number) => ({ id: `j${round}`, body: '{}' });

/**
 * Waits `rounds` times for what `act` brings, each time after it has been quiet for so long that the next look is as
 * far away: all of them together tell waking from looking on any machine.
 */
async function wakesEachTime(connector: SqliteConnector, act: (round: number) => unknown): Promise<void> {
  const [rounds, quietMs] = [12, 250];
  let wokenMs = 0;
  for (let round = 0; round < rounds; round++) {
    const waiting = waitOn(connector, ['other', 'q']);
    await pause(quietMs);
    const fromMs = performance.now();
    await act(round);
    await waiting;
    wokenMs += performance.now() - fromMs;
    const jobs = await connector.reserve(['q'], 10, 60_000);
    expect(jobs.map(({ id }) => id)).toEqual([`j${round}`]);
    await connector.delete(jobs.map(({ lease }) => lease));
  }
  expect(wokenMs).toBeLessThan((rounds * quietMs) / 2);
}

test('a push by another process wakes who waits, also through a link to the file', async () => {
  const file = newFile();
  const push = await startFeeder(file);
  const link = newFile();
  symlinkSync(file, link);
  await wakesEachTime(sandbox.open(link), (round) => push('q', `j${round}`));
});

test('a push by the same connector wakes who waits', async () => {
  const connector = sandbox.open(newFile());
  await wakesEachTime(connector, (round) => connector.push('q', [job(round)]));
});

test('without a write-ahead log a push in another transaction wakes who waits', async () => {
  const file = newFile();
  const [ours, theirs] = [instanceOn(file), instanceOn(file)];
  const connector = sandbox.open({ knex: ours });
  await connector.migrate();
  const other = sandbox.open({ knex: theirs });
  await wakesEachTime(connector, (round) =>
    theirs.transaction((trx) => other.pushIn(trx, 'q', [job(round)])),
  );
  expect(await ours.raw('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
});

test('many waits share one watch, which close ends', async () => {
  const connector = sandbox.open(newFile());
  const before = watched();
  const waits = Array.from({ length: 20 }, (_, index) => waitOn(connector, [`queue-${index}`]));
  await until(() => watched() > before);
  await connector.size('q');
  expect(watched()).toBe(before + 1);
  await connector.close();
  await Promise.all(waits);
  expect(watched()).toBe(before);
  await expect(waitOn(connector)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
  expect(watched()).toBe(before);
});

test('close while a watch begins leaves none', async () => {
  const before = watched();
  const connector = sandbox.open(newFile());
  const waiting = waitOn(connector);
  const ended = waiting?.catch((error: unknown) => expect(error).toMatchObject({ code: 'E_QUEUE_CLOSED' }));
  await connector.close();
  await ended;
  expect(watched()).toBe(before);
});

test('a file that cannot be watched is looked at', async () => {
  const file = newFile();
  const connector = sandbox.open({ knex: instanceOn(file) });
  await connector.migrate();
  await connector.push('q', [{ ...job(1), delayMs: 3_600_000 }]);
  rmSync(file); // who has it open can still read it
  const before = watched();
  const waiting = waitOn(connector);
  await connector.size('q');
  sandbox.nowMs += 7_200_000;
  await waiting;
  expect(watched()).toBe(before);
});

test('a database in memory offers no wait', () => {
  expect(sandbox.open({ url: 'sqlite::memory:' }).waitForJob).toBeUndefined();
  expect(sandbox.open({ knex: instanceOn(':memory:') }).waitForJob).toBeUndefined();
});
