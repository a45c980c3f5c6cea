import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { openQueue } from '../../config/index.js';
import type { PushOptions, Queue, QueueSize } from '../../src/index.js';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'dist/cli/bin.cjs');

/** A line of `--json` output. */
export type Line = Readonly<Record<string, unknown>>;

/** What a command left behind. */
export interface Result {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON objects of stdout. */
  readonly lines: readonly Line[];
}

/** How a command is started. */
export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** A command that starts this one, with its own words. */
  readonly through?: readonly string[];
}

const plainEnv = {
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  DROVER_DEBUG: undefined,
  QUEUE_CONNECTION: undefined,
};

/** A command that runs as a process of its own. */
export class RunningCli {
  readonly process: ChildProcess;
  readonly exited: Promise<Result>;
  readonly #lines: Line[] = [];
  readonly #heard = new EventEmitter();
  #stdout = '';
  #stderr = '';

  constructor(cwd: string, args: readonly string[], { env, stdin, through = [] }: StartOptions) {
    const [program = '', ...words] = [...through, process.execPath, bin, ...args];
    this.process = spawn(program, words, {
      cwd,
      env: { ...process.env, ...plainEnv, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.process.stdin?.end(stdin);
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#heard.emit('change');
    });
    this.exited = this.#untilExit();
  }

  /** Everything that stands on stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The objects on stdout so far. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** The first object on stdout, past or to come, that has these values; rejects when the process ends without. */
  async line(wanted: Line): Promise<Line> {
    const [line] = await this.linesOf(wanted, 1);
    return line as Line;
  }

  /** The first objects of these values, past or to come, when there are so many; rejects as {@link line}. */
  async linesOf(wanted: Line, count: number): Promise<readonly Line[]> {
    const find = () =>
      this.#lines.filter((line) => Object.entries(wanted).every(([key, value]) => line[key] === value));
    await this.#until(() => find().length >= count, JSON.stringify(wanted));
    return find().slice(0, count);
  }

  /** Resolves when stderr holds the text. */
  async says(text: string): Promise<void> {
    await this.#until(() => this.#stderr.includes(text), text);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      const ended = await Promise.race([
        once(this.#heard, 'change').then(() => undefined),
        this.exited.then((result) => result),
      ]);
      if (ended !== undefined && !holds()) {
        throw new Error(
          `it ended with ${ended.code ?? ended.signal} without ${what}\n${ended.stdout}\n${ended.stderr}`,
        );
      }
    }
  }

  async #untilExit(): Promise<Result> {
    const closed = once(this.process, 'close');
    createInterface({ input: this.process.stdout as Readable }).on('line', (text) => {
      this.#stdout += `${text}\n`;
      if (text.startsWith('{')) this.#lines.push(JSON.parse(text) as Line);
      this.#heard.emit('change');
    });
    const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr, lines: this.#lines };
  }
}

/** A project in a temporary folder, with drover installed as a symlink to this repository. */
export class CliProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'drover-cli-'));
  readonly #running = new Set<RunningCli>();
  #queue: Promise<Queue> | undefined;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.write('package.json', '{ "private": true }');
    mkdirSync(join(this.directory, 'node_modules'));
    symlinkSync(root, join(this.directory, 'node_modules/drover'));
    for (const peer of ['knex', 'better-sqlite3']) {
      symlinkSync(join(root, 'node_modules', peer), join(this.directory, 'node_modules', peer));
    }
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  /** The text of a file, or nothing where it is not there. */
  read(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch {
      return '';
    }
  }

  start(args: readonly string[], options: StartOptions = {}): RunningCli {
    const running = new RunningCli(this.directory, args, options);
    this.#running.add(running);
    void running.exited.then(() => this.#running.delete(running));
    return running;
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Result> {
    return this.start(args).exited;
  }

  /** Runs a command that must succeed, and answers what it printed. */
  async must(...args: string[]): Promise<Result> {
    const result = await this.run(...args);
    if (result.code !== 0)
      throw new Error(`drover ${args.join(' ')}: ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result;
  }

  /** The store as an application in a process of its own sees it: this process, here. */
  async queue(): Promise<Queue> {
    this.#queue ??= openQueue({ cwd: this.directory, env: {} });
    return this.#queue;
  }

  /** Pushes a job and answers its id. */
  async push(name: string, data: unknown = null, options: PushOptions = {}): Promise<string> {
    return (await this.queue()).push(name, data, options);
  }

  /** Jobs of a queue by state. */
  async size(name?: string): Promise<QueueSize> {
    return (await this.queue()).size(name);
  }

  /**
   * Ends what still runs, by pid: that of commands, those of their worker processes, which would let their jobs end
   * first, and those that jobs wrote down in `pids`.
   */
  async remove(): Promise<void> {
    const ends = [...this.#running].map((running) => {
      running.kill('SIGKILL');
      for (const { event, pid } of running.lines) {
        if (event === 'worker:started' && isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
      }
      return running.exited;
    });
    await Promise.all(ends);
    await (await this.#queue)?.close();
    for (const pid of this.read('pids').split('\n').filter(Boolean).map(Number)) {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** True while a process exists, a zombie aside. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
