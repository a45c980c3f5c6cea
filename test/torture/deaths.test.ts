import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LedgerEvent } from '../conformance/index.js';
import { deathsOf } from './deaths.js';

const started = (t: number, id: string, pid: number): LedgerEvent => {
  return { ev: 'started', t, id, queue: 'q', pid, parent: 1, attempt: 1, hash: 'h' };
};
const death = (t: number, pid: number) => ({ ev: 'fault', fault: 'death', fromMs: t, toMs: t, pids: [pid] });

test('a process that ends while a handler runs has died; one whose handlers have ended has not', () => {
  const events: LedgerEvent[] = [
    started(1, 'a', 10),
    started(2, 'b', 20),
    { ev: 'finished', t: 3, id: 'b', pid: 20 },
    started(2, 'c', 30),
    { ev: 'threw', t: 3, id: 'c', pid: 30 },
    started(4, 'd', 30),
  ];
  const ends = [10, 20, 30, 40].map((pid) => ({ t: 5, pid }));
  expect(deathsOf(events, ends)).toEqual([death(5, 10), death(5, 30)]);
});

test('the number of a process that is used again is that of another one', () => {
  const events = [
    started(1, 'a', 10),
    started(6, 'b', 10),
    { ev: 'finished', t: 7, id: 'b', pid: 10 },
  ] as const;
  const ends = [5, 8].map((t) => ({ t, pid: 10 }));
  expect(deathsOf(events, ends)).toEqual([death(5, 10)]);
});

test('the witness writes down when a process ends that its own has started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-witness-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(join(import.meta.dirname, 'project/witness.cjs'), join(folder, 'witness.cjs'));
  const program = `
    const { spawn } = require('node:child_process');
    const one = spawn(process.execPath, ['-e', 'process.abort()']);
    one.on('exit', () => console.log(one.pid));`;
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, NODE_OPTIONS: `--require=${join(folder, 'witness.cjs')}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const fromMs = Number(process.hrtime.bigint()) / 1e6;
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  await once(child, 'close');
  const gone = JSON.parse(readFileSync(join(folder, 'gone.ndjson'), 'utf8'));
  expect(gone.pid).toBe(Number(Buffer.concat(said)));
  expect(gone.t).toBeGreaterThan(fromMs);
});
