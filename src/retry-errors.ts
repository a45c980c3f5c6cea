import { type Duration, durationToMs } from './duration.js';

// Shared by all copies of drover in a process: job files are sometimes loaded beside the application's own copy.
const unrecoverable = Symbol.for('drover.unrecoverable');
const retryAfter = Symbol.for('drover.retry-after');

/**
 * Thrown by a handler, it gives the job up at once, whatever tries are left: its address does not exist, its
 * order was cancelled. As `job.fail(error)`, from any depth of the code.
 */
export class UnrecoverableError extends Error {
  readonly [unrecoverable] = true;

  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnrecoverableError';
  }
}

/**
 * Thrown by a handler, it has the job tried again after this wait instead of its backoff: a service said when
 * to come back. The attempt counts, and on the last try the job fails.
 */
export class RetryAfterError extends Error {
  readonly [retryAfter]: number;

  /**
   * @param delay text such as `'30s'`, or a number of seconds, as a Retry-After header has it.
   * @throws QueueError `E_DURATION`.
   */
  constructor(delay: Duration, message = `to be tried again after ${delay}`, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RetryAfterError';
    this[retryAfter] = durationToMs(delay, 'RetryAfterError');
  }
}

/** True for an {@link UnrecoverableError}. Never throws, whatever was thrown. */
export function isUnrecoverable(thrown: unknown): boolean {
  return read(thrown, unrecoverable) === true;
}

/** The wait in ms that a {@link RetryAfterError} asks for. Never throws, whatever was thrown. */
export function retryAfterMs(thrown: unknown): number | undefined {
  const ms = read(thrown, retryAfter);
  return typeof ms === 'number' ? ms : undefined;
}

function read(thrown: unknown, key: symbol): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    return (thrown as Record<symbol, unknown>)[key];
  } catch {
    return undefined; // handlers throw all sorts of things, also proxies whose traps throw
  }
}
