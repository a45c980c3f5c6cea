import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobFields } from '../../src/index.js';
import { monotonicMs } from '../../src/monotonic.js';
import type { Io } from '../io.js';
import { killGroup } from '../kill-group.js';
import { ownProgram } from '../own-files.js';
import { closeBoard, openBoard } from '../supervise/board.js';
import type { Order, Report } from '../supervise/protocol.js';
import { type Remains, readRemains } from '../supervise/remains.js';
import type { ChildMessage, ParentMessage } from './parent-link.js';

/** How long a child has to answer that its event loop turns, and when it is asked: both within a second. */
const answerMs = 750;
const askAfterMs = 250;
/** Flags of a worker process for one job. */
const oneShot = ['--once', '--supervised', '--report-to-parent'];
/** How long to read on after the exit from pipes that a process which left the group still holds. */
const lastLinesMs = 1000;

/** Limits of a child, in ms. */
export interface ChildLimits {
  /** How long it may keep its event loop blocked: before its job, in it, and after it. 0: no limit. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly shutdownTimeoutMs: number;
}

/** How a child ended. */
export interface ChildEnd extends Remains {
  /** The job that it started, where it did. */
  readonly job: JobFields | undefined;
  readonly pid: number;
  /** When it ended, on the monotonic clock. */
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** True where it was killed from here, or by its watchdog. */
  readonly killed: boolean;
}

/**
 * A one-shot `queue:work` in a process group of its own, so that what its job starts dies with it.
 *
 * The child itself aborts a handler that is over its timeout and settles the job. That needs a turning event
 * loop: its watchdog ends a child that has none. Should that fail too, a child whose timeout has passed is asked once
 * a second whether its loop turns, and its group is killed when it does not answer.
 */
export class Child {
  /** Resolves when the process is gone and all its lines were passed on. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #limits: ChildLimits;
  readonly #board = openBoard();
  #job: JobFields | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** When the child is asked next, or was asked last, on the monotonic clock. */
  #askAtMs: number | undefined;
  #lastWord: NodeJS.Timeout | undefined;
  #killed = false;

  /** @param words of `queue:work`, without its name. */
  constructor(words: readonly string[], limits: ChildLimits, io: Io, env: NodeJS.ProcessEnv) {
    this.#limits = limits;
    const argv = [...process.execArgv, ownProgram, 'queue:work', ...oneShot, ...words];
    this.#process = spawn(process.execPath, argv, {
      cwd: io.cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', this.#board],
      windowsHide: true,
    });
    const begin: Order = { type: 'begin', values: {}, left: [], suspects: [], settleOnly: false };
    this.#process.send(begin, () => {});
    this.#process.on('message', (message: ChildMessage | Report) => this.#hear(message));
    this.#askAfter(limits.timeoutMs);
    const lines = [this.#passOn('stdout', io), this.#passOn('stderr', io)];
    this.ended = this.#untilEnded(lines);
  }

  /** Lets the job end within the shutdown timeout and its abort within the grace; then kills. */
  stop(): void {
    this.#process.kill('SIGTERM');
    const { shutdownTimeoutMs, graceMs } = this.#limits;
    // A timeout that is over sooner stays in force.
    if (this.#askAtMs === undefined || this.#askAtMs > monotonicMs() + shutdownTimeoutMs) {
      this.#ask(shutdownTimeoutMs);
    }
    this.#lastWord = setTimeout(() => this.kill(), shutdownTimeoutMs + graceMs + answerMs + askAfterMs);
  }

  /** Ends the child and what it started, at once. */
  kill(): void {
    this.#killed = true;
    killGroup(this.#process);
  }

  #hear(message: ChildMessage | Report): void {
    if (message.type === 'job-started') this.#job = message.job;
    if (message.type === 'alive') this.#ask(answerMs);
    else this.#askAfter(this.#limits.timeoutMs);
  }

  #askAfter(timeoutMs: number): void {
    if (this.#lastWord !== undefined) return; // a stopping child gets no new limits
    clearTimeout(this.#watch);
    this.#askAtMs = undefined;
    if (timeoutMs > 0) this.#ask(timeoutMs);
  }

  #ask(inMs: number): void {
    clearTimeout(this.#watch);
    this.#askAtMs = monotonicMs() + inMs;
    this.#watch = setTimeout(() => {
      const question: ParentMessage = { type: 'are-you-alive' };
      if (this.#process.connected) this.#process.send(question, () => {});
      this.#watch = setTimeout(() => this.kill(), answerMs);
    }, inMs + askAfterMs);
  }

  async #untilEnded(lines: readonly Promise<void>[]): Promise<ChildEnd> {
    const [code, signal] = (await once(this.#process, 'exit')) as [number | null, NodeJS.Signals | null];
    const atMs = monotonicMs();
    clearTimeout(this.#watch);
    clearTimeout(this.#lastWord);
    // What the job left running in its group goes with it.
    killGroup(this.#process);
    await Promise.race([Promise.all(lines), sleep(lastLinesMs, undefined, { ref: false })]);
    const remains = readRemains(this.#board);
    closeBoard(this.#board);
    const killed = this.#killed || remains.evidence?.kind === 'blocked';
    return { ...remains, job: this.#job, code, signal, atMs, killed, pid: this.#process.pid ?? 0 };
  }

  async #passOn(name: 'stdout' | 'stderr', io: Io): Promise<void> {
    const input = this.#process[name];
    if (input === null) return;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      io[name].write(`${line}\n`);
    }
  }
}
