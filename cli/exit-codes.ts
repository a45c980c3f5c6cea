import { type ErrorCode, isQueueError } from '../src/errors.js';
import type { StopReason } from '../src/index.js';

/** The exit codes of all commands; docs/cli.md lists them for users. */
export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  memory: 12,
  /** EX_UNAVAILABLE of sysexits.h. */
  store: 69,
  /** EX_SOFTWARE of sysexits.h: an error outside any handler ended the worker. */
  uncaught: 70,
  /** As timeout(1) has it. */
  stuck: 124,
} as const;

const usageErrors: ReadonlySet<ErrorCode> = new Set([
  'E_CONFIG',
  'E_CONNECTION_UNKNOWN',
  'E_DRIVER_MISSING',
  'E_DURATION',
  'E_FAILED_STORE_MISSING',
  'E_INLINE_CONNECTION',
  'E_JOB_DUPLICATE',
  'E_JOB_FILE',
  'E_JOB_NAME',
  'E_JOB_UNKNOWN',
  'E_LEASE_TOO_SHORT',
  'E_QUEUE_NAME',
  'E_STORE_SCHEMA',
  'E_UNSUPPORTED',
  'E_USAGE',
]);

const storeErrors: ReadonlySet<ErrorCode> = new Set([
  'E_STORE_CORRUPT',
  'E_STORE_FULL',
  'E_STORE_READONLY',
  'E_STORE_UNAVAILABLE',
]);

/** The exit code for what a command threw. */
export function exitCodeOfError(error: unknown): number {
  if (!isQueueError(error)) return exitCodes.error;
  if (usageErrors.has(error.code)) return exitCodes.usage;
  return storeErrors.has(error.code) ? exitCodes.store : exitCodes.error;
}

/** The exit code of a worker that stopped for a reason. */
export function exitCodeOfStop(reason: StopReason): number {
  if (reason === 'memory') return exitCodes.memory;
  if (reason === 'outage') return exitCodes.store;
  return reason === 'stuck' ? exitCodes.stuck : exitCodes.done;
}
