import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LedgerEvent } from '../conformance/index.js';
import type { Gone } from './deaths.js';
import type { Options } from './options.js';
import type { Profile } from './profile.js';
import type { Store } from './store.js';

const root = join(import.meta.dirname, '../..');

/** The queues that the workers take, the first one first. */
export const queues = ['high', 'default', 'low'] as const;
/** The queue with one producer and one worker with one slot. */
export const lineQueue = 'line';

/** The queue of workers without a supervisor: with no job that ends, fills or blocks its process. */
export const bareQueue = 'bare';

/** The program of the command line. */
export const bin = join(root, 'dist/cli/bin.cjs');

/** What a busy machine takes at most to let a line be heard; clocks are set by more than that, as a rule. */
const mostHeardLateMs = 60_000;

/** A folder with the config and the jobs of a run, in which all that is written down stays. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-torture-'));

  /** All that the clock was set to so far. */
  readonly #clocks = new Set<number>();

  constructor() {
    cpSync(join(import.meta.dirname, 'project'), this.folder, { recursive: true });
    for (const name of ['ledger', 'output', 'node_modules']) mkdirSync(join(this.folder, name));
    symlinkSync(root, join(this.folder, 'node_modules/drover'));
    symlinkSync(join(root, 'node_modules/better-sqlite3'), join(this.folder, 'node_modules/better-sqlite3'));
    this.setClock(0);
    writeFileSync(join(this.folder, 'package.json'), '{ "private": true, "type": "module" }');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The module that a worker whose clock can be set loads first. */
  get clock(): string {
    return pathToFileURL(this.path('clock.mjs')).href;
  }

  /** How long ago it was that time by the clock of a worker, which may have been wrong then if it can be set. */
  agoMs(timeMs: number, isSettable: boolean): number {
    const clocks = isSettable ? [...this.#clocks] : [0];
    const possible = clocks.map((aheadMs) => Date.now() - (timeMs - aheadMs)).filter((ms) => ms >= 0);
    return Math.min(...possible, mostHeardLateMs);
  }

  /** The module that all load first, so that memory is what they hold. */
  get tidying(): string {
    return this.path('garbage.cjs');
  }

  /** The module that a command loads first whose processes tell of none that has died. */
  get witness(): string {
    return this.path('witness.cjs');
  }

  /** The ends that it has seen. */
  gone(): Gone[] {
    const path = this.path('gone.ndjson');
    return existsSync(path) ? linesOf(readFileSync(path, 'utf8')) : [];
  }

  /** Has producers pause, but for the one of the line, or go on. */
  hold(isHeld: boolean): void {
    if (isHeld) writeFileSync(this.path('hold'), '');
    else rmSync(this.path('hold'), { force: true });
  }

  /** Has all jobs end soon and well from now on. */
  calm(): void {
    writeFileSync(this.path('calm'), '');
  }

  /** Sets the clock of these workers ahead of that of the host. */
  setClock(aheadMs: number): void {
    this.#clocks.add(aheadMs);
    writeFileSync(this.path('clock'), String(aheadMs));
  }

  /** Writes what the files of the project go by. */
  configure(
    { driver, mutant, seed }: Options,
    profile: Profile,
    reach: Store['reach'],
    graves?: string,
  ): void {
    const settings = { driver, mutant, seed, reach, graves, file: this.path('naive.sqlite'), ...profile };
    writeFileSync(this.path('torture.json'), JSON.stringify(settings, null, 2));
  }

  /** All lines of all ledgers. */
  events(): LedgerEvent[] {
    return readdirSync(this.path('ledger')).flatMap((name) =>
      linesOf(readFileSync(this.path(`ledger/${name}`), 'utf8')),
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The last line may be half: its process was killed. */
function linesOf<T = LedgerEvent>(text: string): T[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
