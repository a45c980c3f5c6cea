import { type WorkerOptions, workerOptionNames } from './worker-options.js';

/**
 * Worker processes that do the same: a named group in `supervisors` of the config. What it does not say comes from
 * `worker` of the config. Limits are those of each process, and one that is at its limit is replaced.
 */
export interface WorkerGroup extends Omit<WorkerOptions, 'once'> {
  /** The connection to work on. Default: that of the config. */
  readonly connection?: string;
  /** Folders whose consumers it runs, and nothing else, in place of what `consumers` and `jobs` of the config name. */
  readonly consumers?: string | readonly string[];
  /** How many processes. Default 1. */
  readonly workers?: number;
}

/** Names of a group's settings, for "did you mean". */
export const workerGroupKeys = [
  'connection',
  'consumers',
  'workers',
  ...workerOptionNames.filter((name) => name !== 'once'),
] as const satisfies readonly (keyof WorkerGroup)[];
