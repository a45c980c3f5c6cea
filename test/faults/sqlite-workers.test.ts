import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, type Queue } from '../../src/index.js';
import { ledgerJobFile, readLedger, startsById } from '../support/ledger.js';
import { inTier } from '../support/tier.js';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'dist/cli/bin.cjs');
const concurrency = 8;
const prefetch = 100;
const leaseMs = 2_000;

let directory: string;
let queue: Queue;
const workers = new Set<ChildProcess>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-workers-'));
  mkdirSync(join(directory, 'jobs'));
  mkdirSync(join(directory, 'ledger'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(root, join(directory, 'node_modules/drover'));
  writeFileSync(join(directory, 'jobs/record.mjs'), ledgerJobFile);
  writeFileSync(
    join(directory, 'drover.config.mjs'),
    `import { database } from 'drover/drivers/database';
     export default {
       connections: { default: database({ url: 'sqlite:./queue.sqlite', lease: '${leaseMs}ms' }) },
       jobs: './jobs/*.mjs',
       worker: { timeout: '1s', grace: '500ms' },
     };`,
  );
  queue = createQueue({ connections: { default: database(`sqlite:${join(directory, 'queue.sqlite')}`) } });
});

afterEach(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  workers.clear();
  await queue.close();
  rmSync(directory, { recursive: true, force: true });
});

function startWorker(mode: '--stop-when-empty' | '--daemon' = '--stop-when-empty'): ChildProcess {
  // In one process, so that a signal hits the worker and nobody settles for it.
  const flags = [
    mode,
    '--concurrency',
    String(concurrency),
    '--prefetch',
    String(prefetch),
    '--workers',
    '0',
  ];
  const worker = spawn(process.execPath, [bin, 'queue:work', ...flags], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  workers.add(worker);
  const exited = once(worker, 'exit').then(([code]) => {
    workers.delete(worker);
    return code as number | null;
  });
  exits.set(worker, exited);
  return worker;
}

async function pushAll(count: number, data: object = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < count; start += 1000) {
    const batch = Array.from({ length: 1000 }, (_, index) => ({ n: start + index, ...data }));
    ids.push(...(await queue.bulk('record', batch)));
  }
  return ids;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

/** Resolves when a process has started this many jobs. */
async function started(worker: ChildProcess, count: number): Promise<void> {
  await until(
    () => readLedger(join(directory, 'ledger')).filter((line) => line.pid === worker.pid).length >= count,
  );
}

/** Stops a process while it does not hold the file's write lock, with which it would hold up all the others. */
async function stopBetweenWrites(worker: ChildProcess): Promise<void> {
  const file = new Database(join(directory, 'queue.sqlite'), { timeout: 1000 });
  for (;;) {
    worker.kill('SIGSTOP');
    try {
      file.exec('BEGIN IMMEDIATE; ROLLBACK');
      break;
    } catch {
      worker.kill('SIGCONT');
      await sleep(1);
    }
  }
  file.close();
}

/** The exit code of a worker, null for one that was killed, whenever that was. */
const exits = new WeakMap<ChildProcess, Promise<number | null>>();

async function exitCodes(processes: readonly ChildProcess[]): Promise<(number | null | undefined)[]> {
  return Promise.all(processes.map((one) => exits.get(one)));
}

test('four workers drain 20,000 jobs, each run once', { timeout: 120_000 }, async () => {
  const ids = await pushAll(20_000);
  expect(await exitCodes([startWorker(), startWorker(), startWorker(), startWorker()])).toEqual([0, 0, 0, 0]);

  const lines = readLedger(join(directory, 'ledger'));
  const starts = startsById(lines);
  expect([...starts.keys()].sort()).toEqual([...ids].sort());
  expect([...starts.values()].filter((list) => list.length > 1)).toEqual([]);
  expect(new Set(lines.map((line) => line.pid)).size).toBe(4); // all of them had a share
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('with one killed and one stopped for two leases nothing is lost, and only what these two held runs twice', {
  timeout: 120_000,
}, async () => {
  const ids = await pushAll(inTier([8_000], [20_000]).at(-1) ?? 0, { sleepMs: 5 }); // long enough to be caught in the act
  const [killed, stopped, ...others] = Array.from({ length: 4 }, () => startWorker('--daemon')) as [
    ChildProcess,
    ChildProcess,
    ...ChildProcess[],
  ];
  await Promise.all([started(killed, 50), started(stopped, 50)]);
  killed.kill('SIGKILL');
  await stopBetweenWrites(stopped);
  await sleep(2 * leaseMs); // the fault itself: a process that is away for two leases
  // The others come to the lapsed jobs when they have worked off what was due before.
  await until(async () => (await queue.size()).ready === 0 && (await queue.size()).reserved === 0);
  stopped.kill('SIGCONT');
  await sleep(leaseMs); // time for the stopped worker to try to settle what it no longer holds
  for (const worker of [stopped, ...others]) worker.kill('SIGTERM');
  expect(await exitCodes([killed, stopped, ...others])).toEqual([null, 0, 0, 0]);

  const lines = readLedger(join(directory, 'ledger'));
  const starts = startsById(lines);
  const finished = new Set(lines.filter((line) => line.event === 'finished').map((line) => line.id));
  expect(ids.filter((id) => !finished.has(id))).toEqual([]);

  const twice = [...starts].filter(([, list]) => list.length > 1);
  const victims = [killed.pid, stopped.pid];
  expect(twice.filter(([, list]) => !victims.includes(list[0]?.pid))).toEqual([]);
  for (const victim of victims) {
    const held = twice.filter(([, list]) => list[0]?.pid === victim).map(([id]) => id);
    console.log(
      `run twice, held by ${victim === killed.pid ? 'the killed' : 'the stopped'} worker: ${held.join(' ')}`,
    );
    expect(held.length).toBeGreaterThan(0);
    // What it ran, and what it had done and not yet deleted.
    expect(held.length).toBeLessThanOrEqual(concurrency + prefetch);
  }
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});
