import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, signal } from './processes.js';
import { bin, type Project } from './project.js';
import { nowMs, type Record } from './record.js';

/** What a process manager may wait before it starts a command again. */
const againMs = 100;
/** What a worker has to end in when it is asked to. */
const patienceMs = 20_000;

/** Commands that are started again whenever they end, as a process manager does. */
export class Crew {
  readonly #project: Project;
  readonly #record: Record;
  readonly #running = new Map<number, { child: ChildProcess; words: readonly string[] }>();
  readonly #places: Promise<void>[] = [];
  readonly #causes = new Map<number, string>();
  #isEnding = false;
  #started = 0;
  /** When nobody could reach the store last: some commands end then, and may. */
  storeAwayMs = Number.NEGATIVE_INFINITY;

  constructor(project: Project, record: Record) {
    this.#project = project;
    this.#record = record;
  }

  /** Keeps a command running until `end`. */
  keep(...words: readonly string[]): void {
    this.#places.push(this.#keep(words));
  }

  /** The commands that run. */
  get pids(): number[] {
    return [...this.#running.keys()];
  }

  /** The commands that run, and the processes that they have started. */
  get all(): number[] {
    return this.pids.flatMap((pid) => [pid, ...childrenOf(pid)]);
  }

  /** Notes what is about to be done to a command, by which its end is judged. */
  blame(pid: number, cause: 'term' | 'kill' | 'restart'): void {
    if (this.#running.has(pid) && this.#causes.get(pid) !== 'kill') this.#causes.set(pid, cause);
  }

  /** Asks all to stop, and waits for their ends. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const pid of this.pids) {
      this.blame(pid, 'term');
      signal(pid, 'SIGTERM');
    }
    const timer = setTimeout(() => this.kill(), patienceMs);
    await Promise.all(this.#places);
    clearTimeout(timer);
  }

  /** Kills what runs still: none is judged to have ended well by that. */
  kill(): void {
    this.#isEnding = true;
    for (const pid of this.all) signal(pid, 'SIGKILL');
  }

  async #keep(words: readonly string[]): Promise<void> {
    while (!this.#isEnding) {
      await this.#run(words);
      if (!this.#isEnding) await sleep(againMs);
    }
  }

  async #run(words: readonly string[]): Promise<void> {
    const errors = openSync(this.#project.path(`output/${this.#started++}.err`), 'a');
    const child = spawn(process.execPath, [bin, ...words], {
      cwd: this.#project.folder,
      env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=96', DROVER_DEBUG: undefined },
      stdio: ['ignore', 'pipe', errors],
    });
    const pid = child.pid ?? 0;
    this.#running.set(pid, { child, words });
    createInterface({ input: child.stdout as Readable }).on('line', (line) => this.#hear(line));
    const [code, name] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    this.#running.delete(pid);
    this.#record.write({ ev: 'exit', t: nowMs(), pid, cause: this.#causeOf(pid, words), code, signal: name });
  }

  /** A supervisor tells of worker processes that died. */
  #hear(line: string): void {
    if (!line.includes('"worker:stopped"')) return;
    const { pid, reason, code, signal: name } = JSON.parse(line) as Line;
    if (typeof pid !== 'number' || !(reason === 'died' || name || code)) return;
    this.#record.fault('death', 'death of a worker by its job, or a kill', [pid]);
  }

  #causeOf(pid: number, [command]: readonly string[]): string {
    const cause = this.#causes.get(pid);
    if (cause !== undefined) return cause;
    const isExcused = command === 'queue:listen' && nowMs() - this.storeAwayMs < 40_000;
    return isExcused ? 'store away' : 'none';
  }
}

interface Line {
  readonly pid?: unknown;
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly signal?: unknown;
}
