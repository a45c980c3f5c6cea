import { type ChildProcess, spawn } from 'node:child_process';
import { openBoard } from './board.js';
import type { Report } from './protocol.js';

/** A worker process that was just started. Nothing of what it does is lost until somebody looks. */
export interface StartedProcess {
  readonly process: ChildProcess;
  /** The descriptor of its board. */
  readonly board: number;
  /** Its reports so far. */
  readonly early: Report[];
  readonly exited: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

/**
 * Starts a worker process, in a process group of its own. It loads what it needs, and waits for `begin`.
 *
 * @param program what it runs.
 * @param words of the command line, for people who look at processes: what they say travels with `begin`.
 * @throws QueueError `E_USAGE` where no temporary file can be made.
 */
export function startProcess(program: string, words: readonly string[]): StartedProcess {
  const board = openBoard();
  const child = spawn(process.execPath, [...process.execArgv, program, '--supervised', ...words], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', board],
    windowsHide: true,
  });
  const early: Report[] = [];
  child.on('message', (report: Report) => early.push(report));
  const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
    child.once('error', () => resolve([1, null])); // it could not be started
  });
  return { process: child, board, early, exited };
}
