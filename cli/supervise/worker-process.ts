import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { closeBoard, openBoard } from './board.js';
import { monotonicMs } from './monotonic.js';
import type { Begin, Order, Report } from './protocol.js';
import type { Remains } from './remains.js';

/** How long to wait for the last reports of a process that is gone. */
const lastWordsMs = 1000;

/** How a worker process ended, and what it left. */
export interface ProcessEnd extends Remains {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
  /** Why it stopped, where it stopped in order. */
  readonly reason: string | undefined;
  /** Whether it got as far as to work; else it has settled nothing. */
  readonly worked: boolean;
}

/** A worker process as its supervisor sees it, in a process group of its own. */
export class WorkerProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #process: ChildProcess;
  readonly #board = openBoard();
  readonly #early: Report[] = [];
  #onReport = (report: Report): void => void this.#early.push(report);
  #reason: string | undefined;
  #worked = false;
  #stopMs = 30_000;
  #pong: (() => void) | undefined;
  #watch: NodeJS.Timeout | undefined;

  /**
   * Starts it. It loads what it needs, and waits for `begin`.
   *
   * @param words of the command line, for people who look at processes: what they say travels with `begin`.
   */
  constructor(words: readonly string[]) {
    const program = fileURLToPath(new URL('../bin.js', import.meta.url));
    this.#process = spawn(process.execPath, [...process.execArgv, program, '--supervised', ...words], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', this.#board],
      windowsHide: true,
    });
    this.#process.on('message', (report: Report) => this.#hear(report));
    this.ended = this.#untilEnded();
  }

  /** Lets it work. */
  begin(beginning: Begin): void {
    this.tell({ type: 'begin', ...beginning });
  }

  /** Passes its reports on, those that came already first. */
  listen(listener: (report: Report) => void): void {
    this.#onReport = listener;
    for (const report of this.#early.splice(0)) listener(report);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  tell(order: Order): void {
    if (this.#process.connected) this.#process.send(order, () => {});
  }

  /** Lets jobs end within the shutdown timeout and the grace, and then kills what does not answer. */
  stop(why: string): void {
    this.tell({ type: 'stop', why });
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lastQuestion(), this.#stopMs);
  }

  /** Ends the process and what it started, at once. */
  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#process.kill('SIGKILL');
      else process.kill(-pid, 'SIGKILL');
    } catch {
      // No process of the group is left.
    }
  }

  #hear(report: Report): void {
    if (report.type === 'working') {
      this.#worked = true;
      this.#stopMs = report.shutdownTimeoutMs + report.graceMs + 250;
    }
    if (report.type === 'stopped') this.#reason = report.reason;
    if (report.type === 'pong') this.#pong?.();
    this.#onReport(report);
  }

  /** A process whose event loop turns may still wait for its store; one that is blocked waits for nothing. */
  #lastQuestion(): void {
    this.#watch = setTimeout(() => this.kill(), 750);
    this.#pong = () => {
      clearTimeout(this.#watch);
      this.#watch = setTimeout(() => this.kill(), 20_000);
    };
    this.tell({ type: 'ping' });
  }

  async #untilEnded(): Promise<ProcessEnd> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#process.once('exit', (...how) => resolve(how));
      this.#process.once('error', () => resolve([1, null])); // it could not be started
    });
    const atMs = monotonicMs();
    clearTimeout(this.#watch);
    // What a job left running in the group goes with its process.
    this.kill();
    // Its last reports may still be under way.
    if (this.#process.connected) {
      const disconnected = new Promise((resolve) => this.#process.once('disconnect', resolve));
      await Promise.race([disconnected, sleep(lastWordsMs, undefined, { ref: false })]);
    }
    const { readRemains } = await import('./remains.js');
    const remains = readRemains(this.#board);
    closeBoard(this.#board);
    const { pid } = this;
    return { ...remains, pid, code, signal, atMs, reason: this.#reason, worked: this.#worked };
  }
}
