import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LedgerLine, ledgerJobFile, readLedger } from './ledger.js';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'dist/cli/bin.cjs');

/** Workers of the CLI, each one process, in a project of their own, whose one job, `record`, writes a ledger. */
export class Fleet {
  readonly #directory = mkdtempSync(join(tmpdir(), 'drover-fleet-'));
  readonly #exits = new Map<ChildProcess, Promise<number | null>>();

  /** @param config the text of the project's `drover.config.mjs`. */
  constructor(config: string) {
    for (const folder of ['jobs', 'ledger', 'node_modules']) mkdirSync(join(this.#directory, folder));
    symlinkSync(root, join(this.#directory, 'node_modules/drover'));
    writeFileSync(join(this.#directory, 'jobs/record.mjs'), ledgerJobFile);
    writeFileSync(join(this.#directory, 'drover.config.mjs'), config);
  }

  start(...flags: readonly string[]): ChildProcess {
    return this.#spawn(['queue:work', '--workers', '0', ...flags], 'ignore');
  }

  /** Starts a command whose output is to be read, which holds it up where nobody does. */
  command(...words: readonly string[]): ChildProcess {
    return this.#spawn(words, 'pipe');
  }

  #spawn(words: readonly string[], stdout: 'ignore' | 'pipe'): ChildProcess {
    const worker = spawn(process.execPath, [bin, ...words], {
      cwd: this.#directory,
      stdio: ['ignore', stdout, 'inherit'],
    });
    const exited = once(worker, 'exit').then(([code]) => code as number | null);
    this.#exits.set(worker, exited);
    return worker;
  }

  /** The absolute path of a file in the project's folder. */
  path(name: string): string {
    return join(this.#directory, name);
  }

  /** All lines of the ledger so far. */
  ledger(): LedgerLine[] {
    return readLedger(join(this.#directory, 'ledger'));
  }

  /** Resolves when a worker has started this many jobs. */
  async started(worker: ChildProcess, count: number): Promise<void> {
    while (this.ledger().filter((line) => line.pid === worker.pid).length < count) await sleep(50);
  }

  /** The exit codes, null for a worker that was killed, whenever that was. */
  exitCodes(workers: readonly ChildProcess[]): Promise<(number | null | undefined)[]> {
    return Promise.all(workers.map((worker) => this.#exits.get(worker)));
  }

  /** Ends what still runs and removes the project. */
  async end(): Promise<void> {
    for (const worker of this.#exits.keys()) worker.kill('SIGKILL');
    await Promise.all(this.#exits.values());
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
