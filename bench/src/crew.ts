import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Entry, runtimeOf } from './contenders.js';
import { ownNode } from './runtimes.js';
import { environmentOf, type Report, type Task } from './task.js';

const childFile = fileURLToPath(new URL('child.js', import.meta.url));
const droverFile = fileURLToPath(new URL('../../dist/cli/bin.cjs', import.meta.url));
const configFile = fileURLToPath(new URL('cli-config.js', import.meta.url));

const exitPatienceMs = 2000;

/** A process under way. */
export interface Member {
  /** The last report of a type. */
  last<Type extends Report['type']>(type: Type): Extract<Report, { type: Type }> | undefined;
  /** Lets a process begin that waits for it. */
  begin(): void;
}

/** The processes of one measurement. The first that fails fails the measurement. */
export class Crew {
  readonly #news = new EventEmitter();
  readonly #children: ChildProcess[] = [];
  readonly #entry: Entry;
  readonly #profileTo: string | undefined;
  #failure: Error | undefined;

  /** @param profileTo a folder for a CPU profile of each process. */
  constructor(entry: Entry, profileTo?: string) {
    this.#entry = entry;
    this.#profileTo = profileTo;
  }

  /** Starts a process. */
  start(task: Task): Member {
    const { commandLine = false } = this.#entry;
    const isCommand = commandLine && task.role === 'work';
    const child = isCommand ? this.#command(task) : this.#own(task);
    this.#children.push(child);
    // A command waits for nobody.
    const last = new Map<Report['type'], Report>(isCommand ? [['ready', { type: 'ready' }]] : []);
    child.on('message', (what: Report) => {
      last.set(what.type, what);
      if (what.type === 'failed') this.#fail(what.message);
      this.#news.emit('change');
    });
    return {
      last: <Type extends Report['type']>(type: Type) =>
        last.get(type) as Extract<Report, { type: Type }> | undefined,
      begin: () => child.send({ type: 'go' }, () => {}),
    };
  }

  /**
   * Waits until the condition holds, or for so long; answers whether it holds.
   *
   * @throws Error with what a process of the crew failed with.
   */
  async until(condition: () => boolean, mostMs: number): Promise<boolean> {
    const signal = AbortSignal.timeout(mostMs);
    while (this.#failure === undefined && !condition() && !signal.aborted) {
      await once(this.#news, 'change', { signal }).catch(() => {});
    }
    if (this.#failure !== undefined) throw this.#failure;
    return condition();
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.map(end));
  }

  #own(task: Task): ChildProcess {
    return this.#spawn([childFile], task);
  }

  /** `drover queue:work`. The line that it prints for each job goes where nothing slows it down. */
  #command(task: Task): ChildProcess {
    const concurrency = String(task.concurrency ?? 1);
    return this.#spawn(
      // In one process: what its jobs tell is meant for this one, not for a supervisor.
      [droverFile, 'queue:work', '--workers', '0', '--config', configFile, '--concurrency', concurrency],
      task,
    );
  }

  #spawn(program: readonly string[], task: Task): ChildProcess {
    const folder = this.#profileTo;
    const profile = folder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', folder];
    const child = spawn((runtimeOf(this.#entry) ?? ownNode).path, [...profile, ...program], {
      env: environmentOf(task),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-1000);
    });
    child.on('exit', (code, signal) => {
      if (code !== 0 || signal !== null) this.#fail(`ended with ${code ?? signal}: ${said.trim()}`);
    });
    return child;
  }

  #fail(message: string): void {
    this.#failure ??= new Error(message);
    this.#news.emit('change');
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.spawnargs.includes('queue:work')) child.kill('SIGTERM');
  else child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), exitPatienceMs);
  await exited;
  clearTimeout(timer);
}
