import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { childrenOf } from './processes.js';

const jiti = join(import.meta.dirname, '../../node_modules/.bin/jiti');

/** All that a process has started, and what these have. */
const descendantsOf = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

/** A process that has ended, and that nobody has asked about, is gone as well. */
const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

test('SIGINT ends the torture with its servers, workers and producers, and tells where the ledgers are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-interrupt-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const words = [jiti, join(import.meta.dirname, 'run.ts'), '--driver', 'redis', '--seconds', '60'];
  const torture = spawn(process.execPath, words, {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void torture.kill('SIGKILL'));
  const said: Buffer[] = [];
  torture.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  const ended = once(torture, 'close');
  let ledgers = '';
  const isUnderWay = () => {
    const project = readdirSync(folder).find((one) => one.startsWith('drover-torture-'));
    ledgers = join(folder, String(project));
    return project !== undefined && existsSync(join(ledgers, 'output/producer-p0.err'));
  };
  while (!isUnderWay()) await pause(50);
  const all = descendantsOf(Number(torture.pid));
  expect(all.length).toBeGreaterThan(8); // a server, commands with their workers, producers
  torture.kill('SIGINT');
  const [code] = await ended;
  expect(code).toBe(2);
  expect(String(Buffer.concat(said))).toContain(`stopped before a verdict; ledgers: ${ledgers}\n`);
  expect(readdirSync(join(ledgers, 'ledger')).length).toBeGreaterThan(2);
  while (all.some(lives)) await pause(50); // a worker whose supervisor was killed ends by itself
}, 120_000); // a whole torture starts, some twenty processes
