import { spawn } from 'node:child_process';
import { exitCodes } from '../exit-codes.js';
import { ownProgram } from '../own-files.js';

/** A group that a supervisor is to run. */
export interface PlannedGroup {
  readonly name: string;
  /** How many processes. */
  readonly workers: number;
}

/** What `queue:supervise` is to run. */
export interface Plan {
  /** The config file, absolute; null for the built-in config. */
  readonly file: string | null;
  /** Named by a flag for the groups that name none, if it was. */
  readonly connection: string | null;
  /** The flags that say where to answer scrapes, as far as they are given. */
  readonly metrics: Readonly<Record<string, string>>;
  readonly groups: readonly PlannedGroup[];
}

/**
 * Has a process of its own read the command line and the config, so that the supervisor loads neither; that process
 * complains about what is wrong with them. Answers its exit code where it has no plan.
 */
export function readPlan(words: readonly string[]): Promise<Plan | number> {
  const planner = spawn(process.execPath, [...process.execArgv, ownProgram, ...words, '--plan'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    windowsHide: true,
  });
  let plan: Plan | undefined;
  planner.once('message', (message: Plan) => {
    plan = message;
  });
  return new Promise((resolve) => {
    planner.once('error', () => resolve(exitCodes.error)); // it could not be started
    planner.once('close', (code) => resolve(plan ?? code ?? exitCodes.error));
  });
}

/** Tells the supervisor that started this process what to run. */
export function tellPlan(plan: Plan): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(plan, () => resolve());
  });
}
