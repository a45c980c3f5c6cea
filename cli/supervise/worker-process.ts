import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../src/monotonic.js';
import { killGroup } from '../kill-group.js';
import { ownProgram } from '../own-files.js';
import { closeBoard, writeEvidence } from './board.js';
import type { Begin, Order, Report } from './protocol.js';
import type { Remains } from './remains.js';
import { type StartedProcess, startProcess } from './start-process.js';

/** How often a process is asked whether its event loop turns. */
const askMs = 2000;
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
  readonly #board: number;
  readonly #early: Report[] = [];
  #onReport = (report: Report): void => void this.#early.push(report);
  #reason: string | undefined;
  #worked = false;
  #stopMs = 30_000;
  #graceMs = 0;
  #pong: (() => void) | undefined;
  #asking: NodeJS.Timeout | undefined;
  #isAsked = false;
  #hasEnded = false;
  #watch: NodeJS.Timeout | undefined;

  /** @param started the process; it waits for `begin`. */
  constructor(started: StartedProcess) {
    this.#process = started.process;
    this.#board = started.board;
    this.#process.removeAllListeners('message').on('message', (report: Report) => this.#hear(report));
    for (const report of started.early) this.#hear(report);
    this.ended = this.#untilEnded(started.exited);
  }

  /** Starts another. @param words see `startProcess`. */
  static start(words: readonly string[]): WorkerProcess {
    return new WorkerProcess(startProcess(ownProgram, words));
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
    killGroup(this.#process);
  }

  #hear(report: Report): void {
    if (report.type === 'working') {
      this.#worked = true;
      this.#graceMs = report.graceMs;
      this.#stopMs = report.shutdownTimeoutMs + report.graceMs + 250;
      this.#asking = setInterval(() => void this.#ask(), askMs).unref();
    }
    if (report.type === 'stopped') this.#reason = report.reason;
    if (report.type === 'pong') {
      this.#isAsked = false;
      this.#pong?.();
    }
    this.#onReport(report);
  }

  /** Ends a process whose event loop is blocked past all timeouts, where its watchdog has not: it may have died. */
  async #ask(): Promise<void> {
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.tell({ type: 'ping' });
      return;
    }
    const [{ readRemains }, { isOverdue, isStopped }] = await Promise.all([
      import('./remains.js'),
      import('./overdue.js'),
    ]);
    if (!this.#isAsked || this.#hasEnded) return;
    const atMs = monotonicMs();
    const { journal } = readRemains(this.#board);
    if (!isOverdue(journal, this.#graceMs, atMs) || isStopped(this.pid)) return;
    writeEvidence(this.#board, { kind: 'blocked', atMs });
    this.kill();
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

  async #untilEnded(exited: StartedProcess['exited']): Promise<ProcessEnd> {
    const [code, signal] = await exited;
    const atMs = monotonicMs();
    this.#hasEnded = true;
    clearInterval(this.#asking);
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
